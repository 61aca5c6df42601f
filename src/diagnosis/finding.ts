import { FanoutError, codeOf, type ErrorCode } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { errorText } from "../format/error-text.js";
import { oneLine } from "../format/one-line.js";

/**
 * One line of a diagnosis. `skipped` is what could not be looked at, or has nothing to look at; `warning` is no fault, and
 * yet to be thought of before a run. The detail says why.
 */
export interface Finding {
  readonly name: string;
  readonly outcome: "ok" | "warning" | "failed" | "skipped";
  /** What was found, or what is wrong and what to do. No secret. */
  readonly detail: string;
  /** Of a failed one: what is wrong, for programs. */
  readonly code?: ErrorCode;
  /** Of a failed one: the exit code that it stands for. */
  readonly exitCode?: ExitCode;
}

/** What a check found, and what the checks behind it go on with. */
export interface Found<T> {
  readonly detail: string;
  readonly value: T;
  /** Absent: ok. */
  readonly outcome?: "skipped" | "warning";
}

/**
 * One check on what an earlier one has found. Yields its line and returns what it found; undefined if it failed, or if
 * there is nothing to check because an earlier one did.
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
  // Certificates, tokens and name servers are others' as well.
  yield { name, outcome: found.outcome ?? "ok", detail: oneLine(found.detail) };
  return found.value;
}
