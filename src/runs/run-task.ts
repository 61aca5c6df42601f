import type { Flags } from "../plan/plan-file.js";

/** What the process of a run needs. */
export interface RunTask {
  /** Of `fanout run`. */
  readonly flags: Flags;
  readonly runId: string;
  /** May hold a secret, so it is neither an argument nor a variable of the process. */
  readonly connectionString: string;
}
