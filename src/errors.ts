import { ExitCode } from "./exit-codes.js";

/**
 * What may go wrong, by a name that programs rely on: `--json` and the HTTP API tell it. A code may be added; none is
 * renamed, and none comes to mean something else. `docs/errors.md` is this table.
 */
export const ERROR_CODES = {
  // A command line or a configuration: nothing was started.
  "invalid-usage": "A flag or an argument is wrong, is missing, or does not go with another one.",
  "invalid-connection-string": "The connection string cannot be read, or says what cannot be done.",
  "invalid-settings": "`appsettings.json` cannot be read, or has another shape.",
  "invalid-proxy": "The environment names a proxy that gRPC cannot use.",
  "invalid-file": "A file to read is missing, or does not hold what the command reads.",
  "unwritable-file": "A file to write to cannot be written.",
  "unusable-state-folder": "The state folder of the emulator cannot be used.",
  "unavailable-address": "A port or an address to listen on is taken, or is none of this machine.",
  "spend-limit": "The run may cost more actions than it was allowed.",
  "run-id-taken": "The task hub has instances of that run id already.",
  "confirmation-needed": "The command asks before it goes on, and there is no terminal to ask at.",
  "foreign-work": "The instances may be another application's. Nothing was changed.",
  "unsupported-platform": "This system lacks what the command needs.",

  // A backend.
  "backend-unreachable": "The backend does not answer.",
  "backend-timeout": "The backend took too long to answer.",
  "backend-failed": "The backend answered that it failed.",
  "backend-refused": "The backend refused a call for a reason that has no code of its own.",
  "not-a-backend": "What answers at the endpoint is no backend.",
  "call-unsupported": "The backend lacks a call that the command needs.",
  "start-unanswered": "A start was not answered: whether the backend has taken it is not known.",
  "credential-needed": "The backend wants a credential, and the connection string has none.",
  "credential-refused": "The backend refused the token.",
  "credential-failed": "The credential gives no token.",
  "permission-denied": "The identity may not use the task hub.",
  "task-hub-not-found": "The backend has no such task hub, or refuses its name.",

  // The embedded emulator.
  "emulator-not-started": "The embedded emulator does not start.",
  "emulator-unresponsive": "The embedded emulator runs, and does not do what it is asked in time.",
  "emulator-version-mismatch": "The embedded emulator that runs is of another version, and is in use.",
  "emulator-running": "The embedded emulator runs already.",
  "emulator-storage": "The database, the lock or the socket of the emulator cannot be used.",

  // Instances and runs.
  "run-not-found": "The task hub has no instance of that run.",
  "instances-left": "Some instances could not be purged, or had not ended in time.",

  // An HTTP request.
  "invalid-request": "The request is not what the API takes.",
  unauthorized: "The request lacks the server's API key.",
  forbidden: "The request comes from where the server does not answer.",
  "not-found": "There is no such path or instance.",
  "method-not-allowed": "The path does not take the method.",
  "request-too-large": "The request is larger than the server takes.",
  "unsupported-media-type": "The body is of a type that the server does not read.",
  "too-many-pending": "As many orchestrations have not ended as the server lets there be.",

  "internal-error": "A defect of fanout.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface FanoutErrorOptions extends ErrorOptions {
  /** What to do next: a sentence, or a clause behind a problem that does not end as one. */
  readonly hint?: string | undefined;
  readonly exitCode?: ExitCode | undefined;
}

/**
 * An error meant for a person. `problem` says what was expected and what was found, `hint` what to do next, and `message`
 * both. Anything else that reaches the top is a defect of ours and is reported as one.
 */
export class FanoutError extends Error {
  override readonly name: string = "FanoutError";
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(
    readonly code: ErrorCode,
    readonly problem: string,
    { hint, exitCode = ExitCode.Failure, ...options }: FanoutErrorOptions = {},
  ) {
    super(hint === undefined ? problem : `${problem}${/[.!?]$/u.test(problem) ? " " : "; "}${hint}`, options);
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

export interface UsageErrorOptions extends Omit<FanoutErrorOptions, "exitCode"> {
  readonly code?: ErrorCode | undefined;
}

/** A wrong flag, connection string or configuration: nothing was started. */
export class UsageError extends FanoutError {
  override readonly name = "UsageError";

  constructor(problem: string, { code = "invalid-usage", ...options }: UsageErrorOptions = {}) {
    super(code, problem, { ...options, exitCode: ExitCode.Usage });
  }
}
