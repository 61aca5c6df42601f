/** What a timer takes at most; it is set again for the rest. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Expiring {
  /** By `performance.now()`; Infinity for never. */
  readonly deadlineMs: number;
  expire(): void;
}

/** One timer for the calls of a connection: most end long before their deadline, and never move it. */
export class Deadlines {
  readonly #calls = new Set<Expiring>();
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;

  add(call: Expiring): void {
    if (call.deadlineMs === Infinity) return;

    this.#calls.add(call);
    if (call.deadlineMs < this.#timerMs) this.#wakeAt(call.deadlineMs);
  }

  delete(call: Expiring): void {
    this.#calls.delete(call);
  }

  close(): void {
    this.#calls.clear();
    clearTimeout(this.#timer);
  }

  #wakeAt(deadlineMs: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = deadlineMs;
    const afterMs = Math.min(Math.ceil(deadlineMs - performance.now()), LONGEST_TIMER_MS);
    this.#timer = setTimeout(() => {
      this.#expire();
    }, afterMs).unref();
  }

  #expire(): void {
    const nowMs = performance.now();
    let nextMs = Infinity;
    for (const call of this.#calls) {
      if (call.deadlineMs <= nowMs) {
        this.#calls.delete(call);
        call.expire();
      } else {
        nextMs = Math.min(nextMs, call.deadlineMs);
      }
    }
    this.#timerMs = Infinity;
    if (nextMs < Infinity) this.#wakeAt(nextMs);
  }
}
