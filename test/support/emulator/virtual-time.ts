import type { Cancel, SystemTime } from "../../../src/emulator/clock/system-time.js";

interface Timer {
  dueMs: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
}

/** Time that passes when a test says so. */
export class VirtualTime implements SystemTime {
  readonly originMs: number;
  #steadyMs = 0;
  #epochMs: number;
  readonly #timers = new Set<Timer>();

  constructor(epochMs = 1_764_000_000_000) {
    this.originMs = epochMs;
    this.#epochMs = epochMs;
  }

  steadyMs(): number {
    return this.#steadyMs;
  }

  epochMs(): number {
    return this.#epochMs;
  }

  after(delayMs: number, callback: () => void): Cancel {
    return this.#set({ dueMs: this.#steadyMs + delayMs, periodMs: undefined, callback });
  }

  every(periodMs: number, callback: () => void): Cancel {
    return this.#set({ dueMs: this.#steadyMs + periodMs, periodMs, callback });
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** What is due is called back in its order, at its time. */
  advance(ms: number): void {
    const untilMs = this.#steadyMs + ms;
    for (let timer = this.#next(untilMs); timer !== undefined; timer = this.#next(untilMs)) {
      this.#passTo(timer.dueMs);
      if (timer.periodMs === undefined) this.#timers.delete(timer);
      else timer.dueMs += timer.periodMs;
      timer.callback();
    }
    this.#passTo(untilMs);
  }

  /** Somebody sets the system's clock, which no timer is measured by. */
  setBy(ms: number): void {
    this.#epochMs += ms;
  }

  #set(timer: Timer): Cancel {
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  #next(untilMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers)
      if (timer.dueMs <= untilMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;

    return next;
  }

  #passTo(ms: number): void {
    this.#epochMs += ms - this.#steadyMs;
    this.#steadyMs = ms;
  }
}
