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

  /** To be awaited between two steps: undefined while the slice goes on, else what resolves in the next turn. */
  over(): Promise<void> | undefined {
    const nowMs = performance.now();
    if (!this.#begun) {
      this.#begun = true;
      this.#endMs = nowMs + SLICE_MS;
      setImmediate(() => (this.#begun = false));
    }
    return nowMs < this.#endMs ? undefined : new Promise((resolve) => setImmediate(resolve));
  }
}
