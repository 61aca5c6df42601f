import { IntervalTally, type LatencyName, type SeriesOptions, type Until } from "./interval-tally.js";
import type { Interval, SeriesTally } from "../result/run-result.js";

/** The width of the intervals at the beginning. */
export const FIRST_WIDTH_MS = 1_000;
const MOST_INTERVALS = 3_600;

/**
 * A run over time, in consecutive intervals of equal width. They begin with a width of a second. When there would be
 * too many, neighbours are merged and the width doubles, so that the memory is constant.
 * Events may come in any order. Times are milliseconds from the start of the run. An earlier time counts in the first
 * interval. A time that is not finite is a RangeError.
 */
export class Series {
  #tallies: IntervalTally[] = [];
  #widthMs = FIRST_WIDTH_MS;

  constructor(readonly mostIntervals: number = MOST_INTERVALS) {}

  /** A start was due. */
  addOffered(dueMs: number): void {
    this.#at(dueMs).offered += 1;
  }

  /** A start was sent. */
  addStart(sentMs: number): void {
    this.#at(sentMs).started += 1;
  }

  addEnd(endedMs: number, outcome: "completed" | "failed" | "terminated"): void {
    this.#at(endedMs)[outcome === "completed" ? "completed" : "failed"] += 1;
  }

  /** A start has completed, by the time of noticing. */
  addNoticed(noticedMs: number): void {
    this.#at(noticedMs).noticed += 1;
  }

  /** `count` more activities have completed. */
  addActivities(atMs: number, count: number): void {
    this.#at(atMs).activities += count;
  }

  /** Attempts at a call have failed with a gRPC status. */
  addRpcError(atMs: number, status: string, count = 1): void {
    this.#at(atMs).addRpcErrors(status, count);
  }

  /** One of the run's own workers has lost the backend. */
  addReconnect(atMs: number): void {
    this.#at(atMs).reconnects += 1;
  }

  /** Adds a latency of `ms` for a start that was due at `dueMs`. `close` chooses which end is used. */
  addLatency(name: LatencyName, until: Until, dueMs: number, ms: number): void {
    this.#at(dueMs).latency(name, until).add(ms);
  }

  /** The intervals of a run in progress, for reading only. */
  get soFar(): SeriesSoFar {
    return { widthMs: this.#widthMs, tallies: this.#tallies };
  }

  tally(): SeriesTally {
    return { widthMs: this.#widthMs, intervals: this.#tallies.map((tally) => tally.tally()) };
  }

  /** Adds everything of another generator, whose times count from the same moment. */
  absorb({ widthMs, intervals }: SeriesTally): void {
    while (this.#widthMs < widthMs) this.#double();
    for (const [index, interval] of intervals.entries()) this.#at(index * widthMs).absorb(IntervalTally.of(interval));
  }

  /**
   * The intervals from 0 to the end. The last one may be shorter. A run without length has none. Later events count in
   * the last interval.
   */
  close(endMs: number, options: SeriesOptions): readonly Interval[] {
    if (!(endMs > 0)) return [];
    while (endMs > this.#widthMs * this.mostIntervals) this.#double();
    const count = Math.ceil(endMs / this.#widthMs);
    let inFlight = 0;
    return Array.from({ length: count }, (_, index) => {
      const tally = merged(this.#tallies.slice(index, index === count - 1 ? undefined : index + 1));
      inFlight += tally.started - tally.completed - tally.failed;
      const fromMs = index * this.#widthMs;
      return {
        fromMs,
        lengthMs: Math.min(this.#widthMs, endMs - fromMs),
        ...tally.summary(options),
        // On the backend's clock an orchestration may end just before it was sent on ours.
        inFlight: Math.max(0, inFlight),
      };
    });
  }

  #at(ms: number): IntervalTally {
    if (!Number.isFinite(ms)) throw new RangeError(`Expected milliseconds since the start of the run, got ${ms}`);
    while (ms >= this.#widthMs * this.mostIntervals) this.#double();
    const index = Math.max(0, Math.floor(ms / this.#widthMs));
    while (this.#tallies.length <= index) this.#tallies.push(new IntervalTally());
    return this.#tallies[index]!;
  }

  #double(): void {
    for (const [index, tally] of this.#tallies.entries()) if (index % 2 === 1) this.#tallies[index - 1]!.absorb(tally);
    this.#tallies = this.#tallies.filter((_, index) => index % 2 === 0);
    this.#widthMs *= 2;
  }
}

export interface SeriesSoFar {
  readonly widthMs: number;
  /** From the start of the run. */
  readonly tallies: readonly IntervalTally[];
}

function merged(tallies: readonly IntervalTally[]): IntervalTally {
  const all = new IntervalTally();
  for (const tally of tallies) all.absorb(tally);
  return all;
}
