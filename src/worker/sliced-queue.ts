import type { TimeSlice } from "./time-slice.js";

/** Processes items in order, a slice of them in each turn of the event loop. The first one is processed at once. */
export class SlicedQueue<T> {
  readonly #slice: TimeSlice;
  readonly #run: (item: T) => Promise<void> | undefined;
  readonly #items: T[] = [];
  #running = false;

  /** The next item begins after `run` has returned, or after its promise has resolved. It must not reject. */
  constructor(slice: TimeSlice, run: (item: T) => Promise<void> | undefined) {
    this.#slice = slice;
    this.#run = run;
  }

  add(item: T): void {
    this.#items.push(item);
    if (!this.#running) void this.#runAll();
  }

  /** Removes the items that have not begun. */
  takeAll(): T[] {
    return this.#items.splice(0);
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      // Also without a promise to await: the work in an item's promises is part of the turn.
      await this.#run(item);
      await this.#slice.over();
    }
    this.#running = false;
  }
}
