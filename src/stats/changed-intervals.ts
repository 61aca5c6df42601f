import type { IntervalTally } from "./interval-tally.js";
import type { SeriesSoFar } from "./series.js";

export interface ChangedInterval {
  readonly index: number;
  readonly tally: IntervalTally;
}

/** Finds the intervals that have changed since it was asked last. To ask costs nothing between two questions. */
export class ChangedIntervals {
  #widthMs = 0;
  #revisions: number[] = [];

  /** All of them, if their width has changed. Beyond `most`, the rest comes with the next question. */
  next({ widthMs, tallies }: SeriesSoFar, most = Infinity): readonly ChangedInterval[] {
    if (widthMs !== this.#widthMs) this.#revisions = [];
    this.#widthMs = widthMs;
    const changed: ChangedInterval[] = [];
    for (const [index, tally] of tallies.entries()) {
      const { revision } = tally;
      if (this.#revisions[index] === revision) continue;
      if (changed.length === most) break;
      this.#revisions[index] = revision;
      changed.push({ index, tally });
    }
    return changed;
  }
}
