import type { Cancel, SteadyTime } from "../../clock/system-time.js";

/** What a timer takes at most; it is set again for the rest. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Expiring {
  /** By the steady clock; Infinity for never. */
  readonly deadlineMs: number;
  expire(): void;
}

/** One timer for the calls of a connection: most end long before their deadline, and never move it. */
export class Deadlines {
  readonly #clock: SteadyTime;
  readonly #calls = new Set<Expiring>();
  #cancelTimer: Cancel | undefined;
  #timerMs = Infinity;

  constructor(clock: SteadyTime) {
    this.#clock = clock;
  }

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
    this.#cancelTimer?.();
  }

  #wakeAt(deadlineMs: number): void {
    this.#cancelTimer?.();
    this.#timerMs = deadlineMs;
    const afterMs = Math.min(Math.ceil(deadlineMs - this.#clock.steadyMs()), LONGEST_TIMER_MS);
    this.#cancelTimer = this.#clock.after(Math.max(0, afterMs), () => {
      this.#expire();
    });
  }

  #expire(): void {
    const nowMs = this.#clock.steadyMs();
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
