import { ChangedIntervals } from "../stats/changed-intervals.js";
import type { IntervalTally } from "../stats/interval-tally.js";
import type { SeriesSoFar } from "../stats/series.js";
import type { LiveInterval, LiveSeries } from "./live-update.js";

export interface SeriesKind {
  readonly latency: "response" | "service";
  /** The activities that a completion is credited with, if nobody counts them; undefined if they are unknown. */
  readonly credited: number | undefined;
}

/** The intervals of a run that have changed since it was asked last, as viewers are shown them. */
export class SeriesChanges {
  readonly #changed = new ChangedIntervals();

  next(series: SeriesSoFar, kind: SeriesKind): LiveSeries {
    const intervals = this.#changed.next(series).map(({ index, tally }) => intervalOf(index, tally, kind));
    return { widthMs: series.widthMs, intervals };
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
