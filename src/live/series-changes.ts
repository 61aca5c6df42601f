import type { IntervalTally } from "../stats/interval-tally.js";
import type { SeriesSoFar } from "../stats/series.js";
import type { LiveInterval, LiveSeries } from "./live-update.js";

export interface SeriesKind {
  readonly latency: "response" | "service";
  /** The activities that a completion is credited with, if nobody counts them; undefined if they are unknown. */
  readonly credited: number | undefined;
}

/** Finds the intervals that have changed since it was asked last. To ask costs nothing between two questions. */
export class SeriesChanges {
  #widthMs = 0;
  #revisions: number[] = [];

  next({ widthMs, tallies }: SeriesSoFar, kind: SeriesKind): LiveSeries {
    if (widthMs !== this.#widthMs) this.#revisions = [];
    this.#widthMs = widthMs;
    const intervals: LiveInterval[] = [];
    for (const [index, tally] of tallies.entries()) {
      const { revision } = tally;
      if (this.#revisions[index] === revision) continue;
      this.#revisions[index] = revision;
      intervals.push(intervalOf(index, tally, kind));
    }
    return { widthMs, intervals };
  }
}

function intervalOf(index: number, tally: IntervalTally, { latency, credited }: SeriesKind): LiveInterval {
  const { offered, started, noticed: completed, failed } = tally;
  const histogram = tally.latencyNoticed(latency);
  // The slowest of those that are still under way are no longer the fastest.
  const censored = offered === 0 ? 0 : Math.max(0, 1 - (histogram?.count ?? 0) / offered);
  const [p50, p99] = [histogram?.percentile(0.5, censored), histogram?.percentile(0.99, censored)];
  const activities = credited === undefined ? undefined : credited > 0 ? credited * completed : tally.activities;
  return {
    index,
    offered,
    started,
    completed,
    failed,
    ...(activities !== undefined && { activities }),
    ...(p50 !== undefined && { p50 }),
    ...(p99 !== undefined && { p99 }),
    ...(histogram !== undefined && { max: histogram.maxMs }),
  };
}
