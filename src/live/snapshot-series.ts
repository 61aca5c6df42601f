import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { LiveInterval, LiveSeries } from "./live-update.js";

const FIRST_WIDTH_MS = 1_000;
const MOST_INTERVALS = 3_600;

type Counts = Omit<LiveInterval, "index" | "offered" | "p50" | "p99" | "max">;

const NOTHING: Counts = { started: 0, completed: 0, failed: 0, activities: 0 };

/**
 * The course of a run of which only snapshots are known, such as that of several generators: counts, without latencies. As in
 * a `Series`, the width doubles when there are too many intervals.
 */
export class SnapshotSeries {
  #widthMs = FIRST_WIDTH_MS;
  #intervals: Counts[] = [];
  readonly #changed = new Set<number>();
  #last = NOTHING;

  constructor(readonly mostIntervals = MOST_INTERVALS) {}

  /** What has happened since the snapshot before counts at the time of this one. */
  add(snapshot: LiveSnapshot): void {
    const total = totalOf(snapshot);
    const more = combined(total, this.#last, (now, before) => Math.max(0, now - before));
    this.#last = total;
    while (this.#indexOf(snapshot) >= this.mostIntervals) this.#double();
    const index = this.#indexOf(snapshot);
    this.#intervals[index] = combined(this.#intervals[index] ?? NOTHING, more, (sum, each) => sum + each);
    this.#changed.add(index);
  }

  /** The intervals that have changed since it was asked last. */
  next(): LiveSeries {
    const intervals = [...this.#changed]
      .toSorted((a, b) => a - b)
      .map((index) => ({ index, ...(this.#intervals[index] ?? NOTHING) }));
    this.#changed.clear();
    return { widthMs: this.#widthMs, intervals };
  }

  #indexOf({ elapsedMs }: LiveSnapshot): number {
    return Math.floor(elapsedMs / this.#widthMs);
  }

  #double(): void {
    this.#widthMs *= 2;
    const halves: Counts[] = [];
    this.#intervals.forEach((counts, index) => {
      const into = Math.floor(index / 2);
      halves[into] = combined(halves[into] ?? NOTHING, counts, (sum, each) => sum + each);
    });
    this.#intervals = halves;
    this.#changed.clear();
    halves.forEach((_, index) => this.#changed.add(index));
  }
}

function totalOf({ orchestrations, activities, own }: LiveSnapshot): Counts {
  return {
    started: orchestrations.started,
    completed: own?.completed ?? 0,
    failed: (own?.failed ?? 0) + (own?.terminated ?? 0),
    ...(activities.total > 0 && { activities: activities.completed }),
  };
}

function combined(a: Counts, b: Counts, by: (a: number, b: number) => number): Counts {
  return {
    started: by(a.started, b.started),
    completed: by(a.completed, b.completed),
    failed: by(a.failed, b.failed),
    ...(a.activities !== undefined && b.activities !== undefined && { activities: by(a.activities, b.activities) }),
  };
}
