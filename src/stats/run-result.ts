/**
 * What a run measured: a plain JSON value, and all that a report can show. A field whose measurement does not exist is
 * absent, never filled with a constant. Names are a published contract: fields may be added, none renamed.
 */
export interface RunResult {
  readonly schemaVersion: 1;
  readonly runId: string;
  /** ISO-8601 in UTC: when the first start was due. */
  readonly startedAt: string;
  /** From then until the run ended. */
  readonly durationMs: number;
  /** A signal ended it. */
  readonly interrupted: boolean;
  readonly plan: ResultPlan;
  readonly environment: ResultEnvironment;
  readonly counts: ResultCounts;
  /** Absent while nothing has completed. */
  readonly throughput?: Throughput;
  readonly latencyMs: Latencies;
  readonly failures?: Listed<FailedInstance>;
  /** Instances that were started and had not ended when the run did. */
  readonly stuck?: Listed<StuckInstance>;
  /** Absent where none was given. */
  readonly thresholds?: readonly JudgedThreshold[];
}

export interface ResultPlan {
  /** This and the next absent, with all that is counted in activities, where `orchestrator` is there. */
  readonly iterations?: number;
  readonly parallelActivities?: number;
  readonly parallelOrchestrations: number;
  /** Somebody's own orchestration. Its input is theirs, and not in here. */
  readonly orchestrator?: string;
  readonly workers: "auto" | number;
  /** Counted from the last start. */
  readonly timeoutMs: number;
  /** What activities cost, as it was asked for; absent: as little as they can. */
  readonly activity?: object;
  readonly continueAsNewEvery?: number;
}

export interface ResultEnvironment {
  readonly fanoutVersion: string;
  readonly sdkVersion: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: { readonly model: string; readonly cores: number };
  readonly backend: { readonly kind: "emulator" | "scheduler"; readonly name: string };
  readonly taskHub: string;
  /** Worker processes that the run started for itself. */
  readonly ownWorkers: number;
  readonly hub: HubSurvey;
}

/** What else was unfinished on the task hub when the run started, or why that is not known. */
export type HubSurvey =
  | {
      readonly unfinished: number;
      /** True when the count stopped at its limit and there are more. */
      readonly more: boolean;
      /** Those of them that other fanout runs started. */
      readonly runs: readonly { readonly runId: string; readonly unfinished: number }[];
    }
  | { readonly unknown: string };

interface ResultCounts {
  /** started = completed + failed + terminated + unfinished */
  readonly orchestrations: {
    readonly started: number;
    readonly completed: number;
    readonly failed: number;
    readonly terminated: number;
    readonly unfinished: number;
  };
  readonly activities?: {
    /** What the whole plan needs. */
    readonly needed: number;
    readonly completed: number;
  };
  /**
   * The Scheduler's billing units of what was done: one for each start, two for each activity completed. Of a run that
   * completed, N x (1 + 2 x I x A).
   */
  readonly actions?: number;
  /** Failed attempts by gRPC status name, those that a retry mended included. */
  readonly rpcErrors: Readonly<Record<string, number>>;
}

/**
 * Rates of a run of "all at once": what its completed orchestrations did, over the makespan from the first intended
 * start until the last completion was noticed.
 */
export interface Throughput {
  readonly makespanMs: number;
  readonly orchestrationsPerSecond: number;
  readonly activitiesPerSecond?: number;
  readonly actionsPerSecond?: number;
}

/** Each is absent when it has no sample. */
interface Latencies {
  /** Intended start until the completion was noticed, on the client's clock: what a user who arrived on schedule feels. */
  readonly response?: LatencySummary;
  /** Accepted until the completion was noticed, on the client's clock. */
  readonly service?: LatencySummary;
  /** Sent until accepted, on the client's clock. */
  readonly startRpc?: LatencySummary;
  /** Intended until sent, on the client's clock: how late a start left. */
  readonly slip?: LatencySummary;
  /** Created until completed, on the backend's clock. */
  readonly server?: LatencySummary;
}

/** Milliseconds. A percentile that the sample cannot carry is absent. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly max: number;
}

/** The first of a list, and how long all of it is. */
export interface Listed<T> {
  readonly total: number;
  readonly first: readonly T[];
}

export interface FailedInstance {
  readonly instanceId: string;
  readonly type: string;
  readonly message: string;
}

export interface StuckInstance {
  readonly instanceId: string;
  /** `Unknown` where the backend did not answer. */
  readonly status: string;
  /** Absent where its custom status does not say. */
  readonly iterationsCompleted?: number;
}

/** What a run had to reach, and whether it did. */
export interface JudgedThreshold {
  /** Such as `p99<500ms`. */
  readonly expression: string;
  /** Milliseconds, a share of 1, per second or a number, as the figure has it; absent where it was not measured. */
  readonly value?: number;
  readonly passed: boolean;
  /** Why it could not be judged, which counts as missed. */
  readonly reason?: string;
}
