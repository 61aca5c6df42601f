import { ExitCode } from "./exit-codes.js";

/**
 * An error meant for a person: it says what was expected, what was found and what to do next.
 * Anything else that reaches the top is a defect of ours and is reported as one.
 */
export class FanoutError extends Error {
  override readonly name: string = "FanoutError";

  constructor(
    message: string,
    readonly exitCode: ExitCode = ExitCode.Failure,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A wrong flag, connection string or configuration: nothing was started. */
export class UsageError extends FanoutError {
  override readonly name = "UsageError";

  constructor(message: string, options?: ErrorOptions) {
    super(message, ExitCode.Usage, options);
  }
}
