import type { LiveSnapshot } from "../stats/live-snapshot.js";

/** A snapshot of a run, with its number, counted from 1. */
export interface LivePoint {
  readonly id: number;
  readonly snapshot: LiveSnapshot;
}

/**
 * The snapshots of a run, one a second. When there are `most`, it keeps only every second one, also of those that come, so
 * that a long run keeps its whole course, evenly, in bounded memory. The latest one is always there.
 */
export class LiveSeries {
  #points: LivePoint[] = [];
  /** Numbers that are a multiple of it are kept. */
  #stride = 1;
  #last: LivePoint | undefined;

  constructor(readonly most = 1_800) {}

  get last(): LivePoint | undefined {
    return this.#last;
  }

  get lastId(): number {
    return this.#last?.id ?? 0;
  }

  add(snapshot: LiveSnapshot): void {
    this.#last = { id: this.lastId + 1, snapshot };
    if (this.#last.id % this.#stride === 0) this.#points.push(this.#last);
    this.thin(this.most);
  }

  /** Keeps fewer than `most`, evenly, and the latest one. */
  thin(most: number): void {
    while (this.#points.length >= most) {
      this.#stride *= 2;
      this.#points = this.#points.filter(({ id }) => id % this.#stride === 0);
    }
  }

  /** The first one that it has after this number. Called once for each point that a viewer gets, so it does not look at all. */
  after(id: number): LivePoint | undefined {
    const kept = this.#points[Math.floor(id / this.#stride)];
    return kept ?? (this.lastId > id ? this.#last : undefined);
  }
}
