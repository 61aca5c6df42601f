import type { RunResult } from "../result/run-result.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";

/** What is sent of a run at one moment. All but the last two only grow. */
export interface RunFigures {
  readonly started: number;
  readonly ended: Readonly<Record<"completed" | "failed" | "terminated", number>>;
  readonly activities: number;
  readonly heldBack: number;
  /** By gRPC status. */
  readonly rpcErrors: Readonly<Record<string, number>>;
  readonly latencies: RunBuckets;
  readonly inFlight: number;
  readonly stalledMs: number;
}

/** During the run. */
export function figuresOf(snapshot: LiveSnapshot, latencies: RunBuckets): RunFigures {
  const { orchestrations, activities, own } = snapshot;
  const { completed = 0, failed = 0, terminated = 0, inFlight = 0, heldBack = 0, rpcErrors = {} } = own ?? {};
  return {
    started: orchestrations.started,
    ended: { completed, failed, terminated },
    activities: activities.completed,
    heldBack,
    rpcErrors,
    latencies,
    inFlight,
    stalledMs: own?.stall?.lengthMs ?? 0,
  };
}

/** At its end: the counts of the result. */
export function finalFigures({ counts, generator }: RunResult, latencies: RunBuckets): RunFigures {
  const { started, completed, failed, terminated, unfinished } = counts.orchestrations;
  return {
    started,
    ended: { completed, failed, terminated },
    activities: counts.activities?.completed ?? 0,
    heldBack: generator?.heldBack ?? 0,
    rpcErrors: counts.rpcErrors,
    latencies,
    inFlight: unfinished,
    stalledMs: 0,
  };
}
