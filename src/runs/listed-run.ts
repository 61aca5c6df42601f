import type { ErrorCode } from "../errors.js";
import type { ExitCode } from "../exit-codes.js";
import type { LiveHub } from "../live/live-hub.js";
import type { ResultPlan, RunResult } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { ResultText } from "./result-text.js";
import type { RunFigures } from "./run-figures.js";

/** How far a run is. The last three are ends. */
export const RUN_STATUSES = ["starting", "running", "ending", "completed", "cancelled", "failed"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

/** Why a run has no result. A run with a result that could not be kept on disk has not failed. */
export interface RunFailure {
  readonly code: ErrorCode;
  readonly message: string;
}

/** What is known of a run, whether it is in progress, has ended, or was found on disk. */
export interface RunFacts {
  readonly runId: string;
  readonly status: RunStatus;
  readonly created: Date;
  /** Of a run that has ended. Unknown if the server ended before it. */
  readonly endedAt?: Date | undefined;
  readonly planLine: string;
  readonly plan: ResultPlan;
  /** What it may cost at most; absent if only time bounds it. */
  readonly mostActions?: number | undefined;
  /** Its last figures. */
  readonly snapshot?: LiveSnapshot | undefined;
  /** Of its result, or of the run so far. */
  readonly figures?: RunFigures | undefined;
  readonly exitCode?: ExitCode | undefined;
  readonly gaveUp?: string | undefined;
  readonly failure?: RunFailure | undefined;
  /** What it said to people, without the oldest lines if there are many. */
  readonly lines: readonly string[];
}

/** A run of the list of `fanout serve`. */
export interface ListedRun extends RunFacts {
  readonly hasEnded: boolean;
  readonly hasResult: boolean;
  /** Undefined without one. */
  readResult(): Promise<RunResult | undefined>;
  /** The same as text. */
  openResult(): Promise<ResultText | undefined>;
  /** Ends it as Ctrl-C ends `fanout run`. Does nothing if it is ending already, or has ended. */
  cancel(): void;
  /** What its viewers are shown. Resolves when that is fresh. */
  watch(): Promise<Watched>;
}

export interface Watched {
  readonly hub: LiveHub;
  /** To be called when a viewer comes or goes. */
  viewersChanged(): void;
}
