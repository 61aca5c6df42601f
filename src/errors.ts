import { ExitCode } from "./exit-codes.js";

/**
 * The kinds of errors, by names that programs rely on. `--json` and the HTTP API contain them. A code may be added.
 * None is renamed, and none changes its meaning. `docs/errors.md` is this table.
 */
export const ERROR_CODES = {
  // A command line or a configuration: nothing was started.
  "invalid-usage": "A command line is wrong in a way that no other code names.",
  "unknown-command": "There is no such command.",
  "unknown-flag": "The command has no such flag.",
  "missing-flag": "A flag or an argument is missing, or needs another one.",
  "conflicting-flags": "Flags or arguments exclude each other, or one is given twice.",
  "invalid-value": "A flag or an argument does not take the value.",
  "invalid-load": "The load flags describe a run that starts nothing, or more than fanout takes.",
  "invalid-threshold": "A threshold cannot be read.",
  "unmeasurable-threshold": "The planned run cannot measure the figure of a threshold.",
  "unusable-baseline": "A run of the baseline failed, or its measurement is invalid.",
  "incomparable-runs": "A side of a comparison has no runs, or a run is given twice.",
  "invalid-side": "A side of a comparison cannot be read.",
  "side-refused": "The `fanout run` of a side refuses its flags.",
  "invalid-connection-string": "The connection string cannot be read, or asks for something that cannot be done.",
  "exposed-credential":
    "A credential would be sent unencrypted, sent to an unexpected host, or shown in a process title.",
  "invalid-settings": "`appsettings.json` cannot be read, or has another shape.",
  "invalid-proxy": "The environment names a proxy that gRPC cannot use.",
  "unsupported-transport": "The transport does not reach the backend.",
  "invalid-file": "A file to read is missing, or does not hold what the command reads.",
  "unwritable-file": "A file to write to cannot be written.",
  "results-in-the-way": "A file to write to holds the results of runs.",
  "unusable-state-folder": "The state folder of the emulator cannot be used.",
  "unavailable-address": "A port or an address to listen on is in use, or is not available on this machine.",
  "api-key-needed": "Other machines can reach the server, and it has no API key.",
  "spend-limit": "The run may cost more actions than allowed.",
  "start-time-passed": "The run was ready only after the time at which it was to start. Nothing was started.",
  "unmergeable-results": "The results are not all the shards of one run.",
  "wrong-backend": "A soak would go on with another backend or task hub than it began on.",
  "soak-running": "Another process makes the load of this soak.",
  "run-id-taken": "The task hub has instances of that run id already.",
  "confirmation-needed": "The command asks before it goes on, and there is no terminal to ask at.",
  "foreign-work": "The instances may be another application's. Nothing was changed.",

  // A backend.
  "backend-unreachable": "The backend does not answer.",
  "backend-timeout": "The backend took too long to answer.",
  "backend-failed": "The backend answered that it failed.",
  "backend-refused": "The backend refused a call for a reason that has no code of its own.",
  "not-a-backend": "The server at the endpoint is no backend.",
  "call-unsupported": "The backend does not support a call that the command needs.",
  "start-unanswered": "A start was not answered. The backend may have accepted it.",
  "credential-needed": "The backend wants a credential, and the connection string has none.",
  "credential-refused": "The backend refused the token.",
  "credential-failed": "The credential gives no token.",
  "permission-denied": "The identity may not use the task hub.",
  "task-hub-not-found": "The backend has no such task hub, or refuses its name.",

  // The embedded emulator.
  "emulator-not-started": "The embedded emulator does not start.",
  "emulator-unresponsive": "The embedded emulator runs, but does not respond in time.",
  "emulator-version-mismatch": "An embedded emulator of another version is running and in use.",
  "emulator-running": "The embedded emulator is already running.",
  "emulator-storage": "The database, the lock or the socket of the emulator cannot be used.",

  // Instances and runs.
  "run-not-found": "The task hub has no instance of that run.",
  "instance-not-found": "The task hub has no instance of that id.",
  "instances-left": "Some instances could not be purged, or did not end in time.",

  // An HTTP request.
  "invalid-request": "The request does not match the API.",
  unauthorized: "The request lacks the server's API key.",
  forbidden: "The server accepts no requests for this host or from this origin.",
  "not-found": "There is no such path or instance.",
  "method-not-allowed": "The path does not support the method.",
  "request-too-large": "The request is too large for the server.",
  "unsupported-media-type": "The server does not read bodies of this type.",
  "too-many-pending": "The task hub has the maximum number of unfinished orchestrations.",

  // A run over HTTP.
  "run-in-progress": "The run has not ended, so it has no result yet.",
  "no-result": "The run ended without a result.",
  "too-many-runs": "The server has reached its limit of concurrent runs.",
  "too-many-reads": "The server reads as much of the task hub at a time as it may.",
  "too-many-viewers": "The server has reached its limit of viewers of runs.",
  "idempotency-key-reused": "The key came before, with another body.",
  "server-stopping": "The server ends, and starts nothing more.",
  "run-died": "The process of the run ended without a result.",

  "internal-error": "A defect of fanout.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface FanoutErrorOptions extends ErrorOptions {
  /** The next step: a sentence, or a clause if the problem does not end as a sentence. */
  readonly hint?: string | undefined;
  readonly exitCode?: ExitCode | undefined;
  /** Further errors, if several are found at once. */
  readonly more?: readonly FanoutError[];
}

/** The form of an error for programs. */
export interface ErrorFacts {
  readonly code: ErrorCode;
  /** What was expected and what was found. */
  readonly message: string;
  readonly hint?: string;
  /** Further errors of the same command line. */
  readonly more?: readonly ErrorFacts[];
}

/**
 * An error for a person. `problem` says what was expected and what was found, `hint` names the next step, and `message`
 * is both. Any other error that reaches the top is a defect of fanout, and is reported as one.
 */
export class FanoutError extends Error {
  override readonly name: string = "FanoutError";
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;
  readonly more: readonly FanoutError[];

  constructor(
    readonly code: ErrorCode,
    readonly problem: string,
    { hint, exitCode = ExitCode.Failure, more = [], ...options }: FanoutErrorOptions = {},
  ) {
    super([sentences(problem, hint), ...more.map(({ message }) => message)].join("\nerror: "), options);
    this.hint = hint;
    this.exitCode = exitCode;
    this.more = more;
  }

  get facts(): ErrorFacts {
    const { code, problem: message, hint, more } = this;
    return {
      code,
      message,
      ...(hint !== undefined && { hint }),
      ...(more.length > 0 && { more: more.map(({ facts }) => facts) }),
    };
  }
}

/** A wrong flag, connection string or configuration: nothing was started. */
export class UsageError extends FanoutError {
  override readonly name = "UsageError";

  constructor(code: ErrorCode, problem: string, options: Omit<FanoutErrorOptions, "exitCode"> = {}) {
    super(code, problem, { ...options, exitCode: ExitCode.Usage });
  }

  /** Combines errors that were found at once. */
  static all([first, ...more]: readonly [UsageError, ...UsageError[]]): UsageError {
    const { code, problem, hint } = first;
    return more.length === 0 ? first : new UsageError(code, problem, { hint, more });
  }
}

/** The problem and the hint as a person reads them. */
export function sentences(problem: string, hint: string | undefined): string {
  if (hint === undefined) return problem;
  return `${problem}${/[.!?]$/u.test(problem) ? " " : "; "}${hint}`;
}

/** The code of an error of any kind. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof FanoutError) return error.code;
  return isAnswer(error) ? "backend-refused" : "internal-error";
}

/** Whether a backend answered a gRPC call with it. By its shape: gRPC takes too long to load for a command without calls. */
export function isAnswer(error: unknown): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "number" && "details" in error;
}
