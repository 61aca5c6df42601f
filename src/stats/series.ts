import { IntervalTally, type LatencyName, type SeriesOptions, type Until } from "./interval-tally.js";
import type { Interval } from "../result/run-result.js";

const FIRST_WIDTH_MS = 1_000;
const MOST_INTERVALS = 3_600;

/**
 * A run over time, in consecutive intervals of equal width. They are a second wide at first; when more of them would be
 * needed than there may be, neighbours become one and the width doubles, so that a run of any length takes the same
 * memory. Events come in any order. Times are milliseconds from the start of the run; one before it counts in the first
 * interval, and one that is not finite is a RangeError.
 */
export class Series {
  #tallies: IntervalTally[] = [];
  #widthMs = FIRST_WIDTH_MS;

  constructor(readonly mostIntervals: number = MOST_INTERVALS) {}

  /** A start was due. */
  addOffered(dueMs: number): void {
    this.#at(dueMs).offered += 1;
  }

  /** A start left. */
  addStart(sentMs: number): void {
    this.#at(sentMs).started += 1;
  }

  addEnd(endedMs: number, outcome: "completed" | "failed" | "terminated"): void {
    this.#at(endedMs)[outcome === "completed" ? "completed" : "failed"] += 1;
  }

  /** So many more activities have completed. */
  addActivities(atMs: number, count: number): void {
    this.#at(atMs).activities += count;
  }

  /** Attempts at a call have failed with a gRPC status. */
  addRpcError(atMs: number, status: string, count = 1): void {
    this.#at(atMs).addRpcErrors(status, count);
  }

  /** A worker of the run's own has lost the backend. */
  addReconnect(atMs: number): void {
    this.#at(atMs).reconnects += 1;
  }

  /** A latency of `ms` of a start that was due at `dueMs`; what it ends with is chosen on `close`. */
  addLatency(name: LatencyName, until: Until, dueMs: number, ms: number): void {
    this.#at(dueMs).latency(name, until).add(ms);
  }

  /**
   * The intervals from 0 until the end, of which the last may be shorter; none of a run without length. What was told of
   * later times counts in the last one.
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
        // By the backend's clock an orchestration may end a hair before it was sent by ours.
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

function merged(tallies: readonly IntervalTally[]): IntervalTally {
  const all = new IntervalTally();
  for (const tally of tallies) all.absorb(tally);
  return all;
}
