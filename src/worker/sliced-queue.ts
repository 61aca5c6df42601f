import type { TimeSlice } from "./time-slice.js";

/** Runs items in order, a slice of them in each turn of the event loop. The first runs at once. */
export class SlicedQueue<T> {
  readonly #slice: TimeSlice;
  readonly #run: (item: T) => Promise<void> | undefined;
  readonly #items: T[] = [];
  #running = false;

  /** The next item begins when `run` has returned, or when what it returned has resolved. It does not reject. */
  constructor(slice: TimeSlice, run: (item: T) => Promise<void> | undefined) {
    this.#slice = slice;
    this.#run = run;
  }

  add(item: T): void {
    this.#items.push(item);
    if (!this.#running) void this.#runAll();
  }

  /** Takes out what has not begun. */
  takeAll(): T[] {
    return this.#items.splice(0);
  }

  async #runAll(): Promise<void> {
    this.#running = true;
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      // Also without anything to wait for: work in promises of an item is part of the turn.
      await this.#run(item);
      await this.#slice.over();
    }
    this.#running = false;
  }
}
