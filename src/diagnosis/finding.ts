import { FanoutError, codeOf, type ErrorCode } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { errorText } from "../format/error-text.js";
import { oneLine } from "../format/one-line.js";

/**
 * One line of a diagnosis. `skipped`: there was nothing to check, or it could not be checked. `warning`: no fault, but
 * worth a thought before a run. The detail says why.
 */
export interface Finding {
  readonly name: string;
  readonly outcome: "ok" | "warning" | "failed" | "skipped";
  /** What was found, or what is wrong and the next step. No secret. */
  readonly detail: string;
  /** The kind of a failure, for programs. */
  readonly code?: ErrorCode;
  /** The exit code of a failure. */
  readonly exitCode?: ExitCode;
}

/** The result of a check, and the value for the later checks. */
export interface Found<T> {
  readonly detail: string;
  readonly value: T;
  /** Absent: ok. */
  readonly outcome?: "skipped" | "warning";
}

/**
 * One check on the value of an earlier one. Yields its line and returns its own value; undefined if it failed, or if an
 * earlier check did.
 */
export async function* check<T, U>(
  name: string,
  given: T | undefined,
  look: (given: T) => Found<U> | Promise<Found<U>>,
): AsyncGenerator<Finding, U | undefined> {
  if (given === undefined) {
    yield { name, outcome: "skipped", detail: "not checked, because an earlier check failed" };
    return undefined;
  }
  let found: Found<U>;
  try {
    found = await look(given);
  } catch (error) {
    const exitCode = error instanceof FanoutError ? error.exitCode : ExitCode.Failure;
    yield { name, outcome: "failed", detail: errorText(error), code: codeOf(error), exitCode };
    return undefined;
  }
  // Certificates, tokens and name servers may hold foreign text.
  yield { name, outcome: found.outcome ?? "ok", detail: oneLine(found.detail) };
  return found.value;
}
