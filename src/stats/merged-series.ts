import type { IntervalTallied } from "../result/run-result.js";
import type { ChangedInterval } from "./changed-intervals.js";
import { IntervalTally } from "./interval-tally.js";
import { FIRST_WIDTH_MS, type SeriesSoFar } from "./series.js";

/** What has changed of the series of one generator. Plain data. */
export interface SeriesPart {
  readonly widthMs: number;
  readonly intervals: readonly {
    readonly index: number;
    readonly tally: IntervalTallied;
    /** Completions by the time of noticing, which a tally leaves out. */
    readonly noticed: number;
  }[];
}

export function seriesPartOf(widthMs: number, changed: readonly ChangedInterval[]): SeriesPart {
  const intervals = changed.map(({ index, tally }) => ({ index, tally: tally.tally(), noticed: tally.noticed }));
  return { widthMs, intervals };
}

/**
 * The series of a run in progress that several generators make, whose times count from the same moment. An interval is merged
 * again only if one of its parts has changed. The memory is that of the parts, and so constant.
 */
export class MergedSeries {
  readonly #parts: { widthMs: number; tallies: IntervalTally[] }[] = [];
  #widthMs = 0;
  #merged: IntervalTally[] = [];
  /** Intervals of the merged series. */
  readonly #changed = new Set<number>();

  /** `generator` counts from 0. */
  take(generator: number, { widthMs, intervals }: SeriesPart): void {
    const known = this.#parts[generator];
    // Each width comes with all its intervals.
    const part = known?.widthMs === widthMs ? known : { widthMs, tallies: [] };
    this.#parts[generator] = part;
    for (const { index, tally, noticed } of intervals) {
      const interval = IntervalTally.of(tally);
      interval.noticed = noticed;
      part.tallies[index] = interval;
      this.#changed.add(Math.floor((index * widthMs) / Math.max(widthMs, this.#widthMs)));
    }
  }

  get soFar(): SeriesSoFar {
    const parts = this.#parts.filter((part) => part !== undefined);
    const widthMs = Math.max(FIRST_WIDTH_MS, ...parts.map((part) => part.widthMs));
    const length = Math.max(0, ...parts.map((part) => Math.ceil((part.tallies.length * part.widthMs) / widthMs)));
    const isNewWidth = widthMs !== this.#widthMs;
    const changed = isNewWidth ? Array.from({ length }, (_, index) => index) : [...this.#changed];
    if (isNewWidth) this.#merged = [];
    while (this.#merged.length < length) this.#merged.push(new IntervalTally());
    for (const index of changed) this.#merged[index] = this.#mergedAt(index, widthMs);
    this.#widthMs = widthMs;
    this.#changed.clear();
    return { widthMs, tallies: this.#merged };
  }

  #mergedAt(index: number, widthMs: number): IntervalTally {
    const all = new IntervalTally();
    for (const part of this.#parts.filter((each) => each !== undefined)) {
      const finer = widthMs / part.widthMs;
      // Intervals without an event are holes.
      for (const tally of part.tallies.slice(index * finer, (index + 1) * finer)) if (tally) all.absorb(tally);
    }
    return all;
  }
}
