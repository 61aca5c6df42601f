import type { LiveInterval, LiveUpdate } from "./live-update.js";

interface DatedInterval {
  readonly interval: LiveInterval;
  /** The number of the update that it came with. */
  readonly since: number;
}

/**
 * The state that the updates of a run add up to. Of each interval it keeps the latest, so that its memory has a limit, and
 * any viewer can be told what has changed since any update: all of it, or what it missed.
 */
export class LiveState {
  #number = 0;
  #latest: LiveUpdate | undefined;
  #intervals: DatedInterval[] = [];

  /** Of the latest update: the run's id and a number that grows. Undefined before the first. */
  get id(): string | undefined {
    return this.#latest && `${this.#latest.run.runId}/${this.#number}`;
  }

  get runId(): string | undefined {
    return this.#latest?.run.runId;
  }

  take(update: LiveUpdate): void {
    const before = this.#latest;
    this.#number += 1;
    const { run, series } = update;
    if (before?.run.runId !== run.runId || before.series.widthMs !== series.widthMs) this.#intervals = [];
    for (const interval of series.intervals) this.#intervals[interval.index] = { interval, since: this.#number };
    this.#latest = update;
  }

  /** The latest update, with the intervals that changed after the one with this id. An id of another run means all. */
  since(id: string | undefined): LiveUpdate | undefined {
    const latest = this.#latest;
    if (latest === undefined) return undefined;
    const prefix = `${latest.run.runId}/`;
    const number = id?.startsWith(prefix) ? Number(id.slice(prefix.length)) : 0;
    const from = number <= this.#number ? number : 0;
    // A sparse array has holes where no interval has come.
    const changed = this.#intervals.filter((dated) => dated.since > from).map(({ interval }) => interval);
    return { ...latest, series: { ...latest.series, intervals: changed } };
  }
}
