import type { Comparison } from "../stats/comparison.js";
import type { LoadShape } from "./load-shape.js";

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
  /** Whether the generator itself was healthy enough for the figures to be believed. */
  readonly verdict?: Verdict;
  readonly counts: ResultCounts;
  /** Absent while nothing has completed. */
  readonly throughput?: Throughput;
  readonly latencyMs: Latencies;
  /** The parts of the load, in order; absent where there is only one. */
  readonly phases?: readonly Phase[];
  /** The run over time: consecutive, equally long, at most 3,600. */
  readonly series?: readonly Interval[];
  /** Times in which work was in flight and nothing completed for longer than the run's own rhythm explains: the longest 100. */
  readonly stalls?: readonly Stall[];
  readonly generator?: GeneratorHealth;
  /** Absent where no completion told the backend's times. */
  readonly clock?: ClockOffset;
  /** How many were in flight; of closed load only. */
  readonly concurrency?: Concurrency;
  /** Calls made to notice completions, by the name of the call. */
  readonly noticing?: Readonly<Record<string, number>>;
  /** What the backend said of the run's instances at its end. */
  readonly recount?: Recount;
  /** Histograms of the latencies by their name, to be merged with those of other runs. */
  readonly histograms?: Readonly<Record<string, EncodedHistogram>>;
  readonly failures?: Listed<FailedInstance>;
  /** Instances that were started and had not ended when the run did. */
  readonly stuck?: Listed<StuckInstance>;
  /** Of them, those whose start was never answered: whether the backend has taken it is not known. */
  readonly unanswered?: Listed<string>;
  /** Absent where none was given. */
  readonly thresholds?: readonly JudgedThreshold[];
  /** With `--baseline`: of all repeats with it, and so in the result of the last one. */
  readonly comparison?: Comparison;
}

export interface ResultPlan {
  /** This and the next absent, with all that is counted in activities, where `orchestrator` is there. */
  readonly iterations?: number;
  readonly parallelActivities?: number;
  /** Started at once, or kept in flight by closed load; absent in open load. */
  readonly parallelOrchestrations?: number;
  /** Absent in results of before there was more than one: started at once. */
  readonly load?: LoadShape;
  /** Run before what is measured, and left out of latency and throughput. */
  readonly warmupMs?: number;
  /** How long what is in flight may go on after the last start was due. */
  readonly graceMs?: number;
  /** What arrivals and activity durations are drawn from. */
  readonly seed?: number;
  /** `--label k=v`: what the one who ran it wants to find it by. */
  readonly labels?: Readonly<Record<string, string>>;
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
  readonly backend: {
    readonly kind: "emulator" | "scheduler";
    readonly name: string;
    /** Absent where the backend is not ours to say. */
    readonly durability?: BackendDurability;
  };
  readonly taskHub: string;
  /**
   * What the run and its own workers made their calls with; absent in results of before there was a choice: grpc-js.
   * `link`: the workers spoke the emulator's own framing, and the run HTTP/2.
   */
  readonly transport?: "link" | "http2" | "grpc-js";
  /** Worker processes that the run started for itself. */
  readonly ownWorkers: number;
  /**
   * How they came to the state of an orchestration: kept between two episodes (`sessions`), or by a replay of the history at
   * each (`always`). Absent where there were none, and in results of before there was a choice: `always`.
   */
  readonly workers?: { readonly replay: "sessions" | "always" };
  readonly hub: HubSurvey;
}

/**
 * What an acknowledged call survives. `fsync`: the process and the power, for it is on the disk. `process`: the process,
 * not the power. `ephemeral`: neither. Of a run during which it changed, the weakest.
 */
export type BackendDurability = "fsync" | "process" | "ephemeral";

/** What else was unfinished on the task hub when the run started, or why that is not known. */
export type HubSurvey =
  | {
      readonly unfinished: number;
      /** True when the count stopped at its limit and there are more. */
      readonly more: boolean;
      /** Those of them that other fanout runs started. */
      readonly runs: readonly { readonly runId: string; readonly unfinished: number }[];
      /** Those of them that no load test started; absent in results of before they were told apart. */
      readonly foreign?: ForeignWork;
    }
  | { readonly unknown: string };

export interface ForeignWork {
  readonly unfinished: number;
  /** The ten orchestrators with the most of them. */
  readonly orchestrators: readonly { readonly name: string; readonly unfinished: number }[];
}

export interface ResultCounts {
  /** Starts that the plan called for; absent where only time bounded them. */
  readonly planned?: number;
  /** Of the started, those that belong to the warm-up. */
  readonly warmup?: number;
  /** started = completed + failed + terminated + unfinished */
  readonly orchestrations: {
    readonly started: number;
    readonly completed: number;
    readonly failed: number;
    readonly terminated: number;
    readonly unfinished: number;
  };
  readonly activities?: {
    /** What all orchestrations of the plan need; where time bounds them, those that were started. */
    readonly needed: number;
    readonly completed: number;
    /**
     * Executions beyond need, which at-least-once allows: at least so many, as a worker that is killed does not tell of
     * its last half second. Absent where not all workers are the run's own.
     */
    readonly reExecuted?: number;
    /** Who counted the completed: the emulator as it commits, or the run at each completion. */
    readonly source?: "emulator" | "completions";
  };
  /**
   * The Scheduler's billing units of what was dispatched and what came back. Of a run that completed without retries,
   * N x (1 + 2 x I x A); what failed, was terminated or was tried again is counted from its history.
   */
  readonly actions?: number;
  /** In its place where not all could be counted: what is known of them. */
  readonly actionsAtLeast?: number;
  /** Why not all could be counted; absent in results of before it was told. */
  readonly actionsMissing?: string;
  /** Failed attempts by gRPC status name, those that a retry mended included. */
  readonly rpcErrors: Readonly<Record<string, number>>;
  /** The same by the name of the call, such as `StartInstance`; absent where there is none, or in results of before. */
  readonly rpcErrorsByCall?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * What completed orchestrations did, over a time. A run that starts all at once, or a number of them: the makespan, from
 * the first intended start until the last completion was noticed. Open load of which all ended: its starts, over their
 * intervals and what response time grew by. Any other load that time bounds: the window from the end of the warm-up until
 * the last start was due, and what completed in it.
 */
export interface Throughput {
  readonly makespanMs?: number;
  readonly windowMs?: number;
  readonly orchestrationsPerSecond: number;
  readonly activitiesPerSecond?: number;
  readonly actionsPerSecond?: number;
}

/** Each is absent when it has no sample. */
interface Latencies {
  /** Intended start until completed: what a user who arrived on schedule feels. Absent in closed load, which has no schedule. */
  readonly response?: CrossingSummary;
  /** Accepted until completed. */
  readonly service?: CrossingSummary;
  /** Completed until noticed: by so much the client's times are too long. */
  readonly detectionLag?: CrossingSummary;
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
  /** Absent in results of before it was measured. */
  readonly p95?: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly max: number;
}

/** Shares of 1, each of the figure of that name of a `LatencySummary`. */
export type LatencyShares = Partial<Record<"mean" | "p50" | "p90" | "p95" | "p99" | "p999", number>>;

/** A latency that begins on the client's clock and ends on the backend's. */
export interface CrossingSummary extends LatencySummary {
  /**
   * What it ends with: the completion by the backend's clock, or where that is not known closely enough (to 10 % of the
   * median) the moment at which the client noticed it.
   */
  readonly until?: "completed" | "noticed";
  /** Where it ends with the backend's clock: every figure is true within plus or minus this. */
  readonly boundMs?: number;
}

/** One part of the load: the warm-up, or a stage. Times count from the start of the run. */
export interface Phase {
  readonly name: string;
  readonly fromMs: number;
  readonly lengthMs: number;
  /** Starts that were due in it, per second; open load only. */
  readonly offeredPerSecond?: number;
  /** Of the starts that were due in it. */
  readonly started: number;
  readonly completed: number;
  /** Completions noticed in it, per second, whenever they were started. */
  readonly completedPerSecond: number;
  readonly response?: CrossingSummary;
  readonly service?: CrossingSummary;
}

/** Times count from the start of the run. Starts and latency belong to when the start was due, the rest to when it happened. */
export interface Interval {
  readonly fromMs: number;
  readonly lengthMs: number;
  /** Starts that were due. */
  readonly offered: number;
  /** Starts that left. */
  readonly started: number;
  readonly completed: number;
  /** Failed or terminated. */
  readonly failed: number;
  /** By `counts.activities.source`; absent where what an orchestration does is not known. */
  readonly activities?: number;
  readonly actions?: number;
  /** Sent and not ended, at the end of the interval. */
  readonly inFlight: number;
  /** Failed attempts by gRPC status name; absent where there was none. */
  readonly rpcErrors?: Readonly<Record<string, number>>;
  /** How often own workers lost the backend; absent where none did. */
  readonly reconnects?: number;
  readonly response?: IntervalLatency;
  readonly service?: IntervalLatency;
}

/** Milliseconds; of those that were due in the interval and completed. Ends as `latencyMs` of the same name does. */
export interface IntervalLatency {
  readonly count: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly max: number;
  /** `[bucket, count, bucket, count, ...]`, ascending, the buckets those of `stats/sparse-histogram.ts`. */
  readonly buckets: readonly number[];
}

/** Times count from the start of the run. */
export interface Stall {
  /** The last completion before it. */
  readonly fromMs: number;
  readonly lengthMs: number;
  /** It had not ended when the run did. */
  readonly open?: boolean;
  /** The most that was in flight during it. */
  readonly inFlight: number;
  /** Starts that were due during it, per second. */
  readonly offeredPerSecond: number;
  /** Failed attempts during it, by gRPC status name. */
  readonly rpcErrors: Readonly<Record<string, number>>;
}

export interface Verdict {
  readonly status: "valid" | "suspect" | "invalid";
  readonly reasons: readonly VerdictReason[];
}

export interface VerdictReason {
  readonly severity: "suspect" | "invalid";
  /** For programs, such as `slip`. */
  readonly name: string;
  /** What was found, with its figure and its limit. */
  readonly text: string;
  /** What to change. */
  readonly advice: string;
}

/** How the process that made the load was doing while it measured. */
export interface GeneratorHealth {
  /** Starts that `--max-in-flight` held back. */
  readonly heldBack: number;
  /** Slip of the starts that were not held back. */
  readonly slipMs?: LatencySummary;
  /** What that slip is of the response time: by so much each figure of it is too high. Of open load only. */
  readonly slipShare?: LatencyShares;
  /** By how much it grew from the first start to the last, milliseconds: the generator fell behind. Of open load only. */
  readonly slipGrowthMs?: number;
  readonly eventLoopDelayMs?: LatencySummary;
  /** The largest step of the system's clock against the steady one, either way. */
  readonly clockJumpMs?: number;
  /** Shares of all cores of this machine that were busy: on the whole, and with this process. Absent for a short run. */
  readonly cpu?: { readonly machine: number; readonly generator: number };
}

/** The backend's clock minus the client's, from `[created - accepted, created - sent]` of each start. */
export interface ClockOffset {
  /** The middle of the last window. */
  readonly offsetMs: number;
  /** Half the width of the widest window used: no offset was further from the truth. */
  readonly boundMs: number;
  /** How far the middle moved between the first window and the last. */
  readonly driftMs: number;
}

export interface Concurrency {
  /** What the plan asked for. */
  readonly planned: number;
  /** Little's law: completions per second x mean service time, over the same window. */
  readonly effective: number;
}

/** The run's instances counted by asking the backend, or why that was not possible. */
export type Recount =
  | {
      readonly instances: number;
      readonly byStatus: Readonly<Record<string, number>>;
      /** Accepted and not there any more. */
      readonly lost: Listed<string>;
      /** There, and never accepted as far as the run knows. */
      readonly unexpected: Listed<string>;
    }
  | { readonly unknown: string };

export interface EncodedHistogram {
  /** Microseconds, HdrHistogram V2, compressed, base64: https://hdrhistogram.github.io/HdrHistogram/ */
  readonly hdr: string;
  readonly count: number;
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
