import type { LiveSnapshot } from "../stats/live-snapshot.js";

/** A snapshot of a run, with its number, counted from 1. */
export interface LivePoint {
  readonly id: number;
  readonly snapshot: LiveSnapshot;
}

/**
 * The snapshots of a run, one a second. When there are `most`, every second one of them is dropped, so that a long run
 * keeps its whole course in bounded memory.
 */
export class LiveSeries {
  #points: LivePoint[] = [];
  #lastId = 0;

  constructor(readonly most = 1_800) {}

  get last(): LivePoint | undefined {
    return this.#points.at(-1);
  }

  get lastId(): number {
    return this.#lastId;
  }

  add(snapshot: LiveSnapshot): void {
    if (this.#points.length >= this.most) this.#points = this.#points.filter((_, index) => index % 2 === 1);
    this.#lastId += 1;
    this.#points.push({ id: this.#lastId, snapshot });
  }

  /** The first one after this number. Called once for each point that a viewer gets, so it does not look at all of them. */
  after(id: number): LivePoint | undefined {
    let [low, high] = [0, this.#points.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#points[middle]!.id <= id) low = middle + 1;
      else high = middle;
    }
    return this.#points[low];
  }
}
