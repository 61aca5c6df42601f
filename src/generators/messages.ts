import type { Transport } from "../backend/transport.js";
import type { ErrorCode } from "../errors.js";
import type { LiveUpdate } from "../live/live-update.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import type { LoadPlan } from "../plan/plan.js";
import type { Replay } from "../protocol/replay.js";
import type { HubSurvey, Stall } from "../result/run-result.js";
import type { Timeline } from "../result/timeline-schema.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { NeutralTime } from "../stats/common-spans.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { StandingPart } from "../stats/merged-standing.js";
import type { SeriesPart } from "../stats/merged-series.js";

/** What a generator process needs to make its part of a run. */
export interface GeneratorTask {
  /** Of one shard, without `inputValues`. Its `workers` is 0: they belong to the coordinator. */
  readonly plan: LoadPlan;
  readonly runId: string;
  /** May hold a secret, so it is neither an argument nor a variable of the process. */
  readonly connectionString: string;
  readonly transport: Transport | undefined;
  readonly replay: Replay;
  readonly hub: HubSurvey;
  readonly attended: boolean;
  readonly leave: boolean;
  /** The run's own workers are the only ones. */
  readonly terminateLeft: boolean;
  readonly tellsLatencies: boolean;
  readonly tellsTimelines: boolean;
  /** Tells how it stands without a viewer too. */
  readonly isJudged: boolean;
  /** The orchestrations of a mix that a threshold names. */
  readonly judged: readonly string[];
}

/** What viewers are shown of one shard, besides its snapshots. */
export interface ShardPart {
  readonly series: SeriesPart;
  readonly stalls: readonly Stall[];
  /** Times in which it had nothing in flight. */
  readonly idle: readonly NeutralTime[];
}

/** The messages to a generator process. The end of the channel means `interrupt`. */
export type ToGenerator<Task = GeneratorTask> =
  | { readonly type: "prepare"; readonly task: Task }
  | { readonly type: "start"; readonly atMs: number }
  /** Whether somebody looks at the run, so that updates are worth their cost. */
  | { readonly type: "watch"; readonly isWatched: boolean }
  /** As Ctrl-C does for a run. */
  | { readonly type: "interrupt" }
  /** As a run ends that gives up. */
  | { readonly type: "end"; readonly reason: string };

/** The messages of a generator process. */
export type FromGenerator =
  | { readonly type: "ready" }
  /** Once a second, from the task on. */
  | { readonly type: "alive" }
  | { readonly type: "line"; readonly text: string }
  /** Several times a second. */
  | { readonly type: "progress"; readonly snapshot: LiveSnapshot }
  /** Of a whole run: once a second while it is watched, else now and then, and once at its end. */
  | { readonly type: "update"; readonly update: LiveUpdate }
  /** Of one shard: once a second while it is watched, and once at its end. */
  | { readonly type: "part"; readonly part: ShardPart }
  /** Of one shard, as a part. Once a second without a viewer too if it is judged while it runs. */
  | { readonly type: "standing"; readonly standing: StandingPart }
  /** Every few seconds where they are collected, and once at its end. */
  | { readonly type: "latencies"; readonly latencies: RunBuckets }
  /** Of one traced instance. */
  | { readonly type: "timelines"; readonly timelines: readonly Timeline[] }
  | ({ readonly type: "ended" } & LoadTestOutcome)
  | { readonly type: "failed"; readonly message: string; readonly code: ErrorCode };
