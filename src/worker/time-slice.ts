/** Long enough that the way through the event loop does not count, short enough for pings, probes and signals. */
const SLICE_MS = 20;

/**
 * How much of a turn of the event loop one kind of work may take. What is longer goes on in the next turn, so that pings,
 * probes and signals are answered in between.
 */
export class TimeSlice {
  #endMs = 0;
  /** Whether a turn has begun in which the slice was asked for. */
  #begun = false;

  /** Whether what is done now has to wait for `next`. The slice begins when it is first asked for in a turn. */
  get isOver(): boolean {
    const nowMs = performance.now();
    if (!this.#begun) {
      this.#begun = true;
      this.#endMs = nowMs + SLICE_MS;
      setImmediate(() => (this.#begun = false));
    }
    return nowMs >= this.#endMs;
  }

  /** Resolves in the next turn. */
  next(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
