/**
 * What became of a work item. `failed`: the backend has the failure of an activity. `returned`: given back. `stale`: the
 * result came too late. `refused`: the backend will never accept it. `unsent`: sending has ended. `dropped`: it could not
 * be read.
 */
const OUTCOMES = ["completed", "failed", "returned", "stale", "refused", "unsent", "dropped"] as const;
export type WorkOutcome = (typeof OUTCOMES)[number];

/** In seconds: from an activity that only computes to one that waits for others. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300] as const;

/** Times by their bucket. */
class TimeCounts {
  /** The upper bounds of the buckets. One more counts what is beyond. */
  readonly boundsSeconds: readonly number[] = BOUNDS;
  readonly counts: number[] = Array.from({ length: BOUNDS.length + 1 }, () => 0);
  sumSeconds = 0;

  add(milliseconds: number): void {
    const seconds = milliseconds / 1_000;
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > BOUNDS[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sumSeconds += seconds;
  }
}

/** What a worker has done with work items: plain numbers, read by whoever asks. */
export class WorkCounts {
  readonly items = { orchestrator: noOutcomes(), activity: noOutcomes(), entity: noOutcomes() };
  readonly execution = { orchestrator: new TimeCounts(), activity: new TimeCounts() };
}

function noOutcomes(): Record<WorkOutcome, number> {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<WorkOutcome, number>;
}
