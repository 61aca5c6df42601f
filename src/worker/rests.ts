/** What returns within this time has not found who takes it. */
const REMEMBERED_MS = 30_000;
const MOST_REMEMBERED = 10_000;
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5_000;

/** How long work rests before it is given back: not at all the first time, then longer each time that it returns. */
export class Rests {
  /** By id: the number of times it came, and the last time. In the order of that time. */
  readonly #seen = new Map<string, { readonly times: number; readonly atMs: number }>();

  /** It has come; returns milliseconds. */
  next(id: string): number {
    const nowMs = performance.now();
    const before = this.#seen.get(id);
    const times = before !== undefined && nowMs - before.atMs < REMEMBERED_MS ? before.times + 1 : 1;
    this.#seen.delete(id);
    this.#seen.set(id, { times, atMs: nowMs });
    if (this.#seen.size > MOST_REMEMBERED) {
      const [oldest] = this.#seen.keys();
      this.#seen.delete(oldest!);
    }
    return times === 1 ? 0 : Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (times - 2));
  }
}
