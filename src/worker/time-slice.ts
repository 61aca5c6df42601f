/** Long enough that the cost of a turn of the event loop is negligible, short enough for pings, probes and signals. */
const SLICE_MS = 20;

/**
 * Limits the part of a turn of the event loop that one kind of work takes. Longer work continues in the next turn, so
 * that pings, probes and signals are answered in between.
 */
export class TimeSlice {
  #endMs = 0;
  /** Whether this turn has already asked for the slice. */
  #begun = false;
  #waitedMs = 0;

  /** How long the promises of `over` took together. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** Await it between two steps. Undefined while the slice lasts, else a promise that resolves in the next turn. */
  over(): Promise<void> | undefined {
    const nowMs = performance.now();
    if (!this.#begun) {
      this.#begun = true;
      this.#endMs = nowMs + SLICE_MS;
      setImmediate(() => (this.#begun = false));
    }
    if (nowMs < this.#endMs) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#waitedMs += performance.now() - nowMs;
        resolve();
      });
    });
  }
}
