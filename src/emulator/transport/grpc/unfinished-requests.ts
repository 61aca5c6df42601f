import type { Cancel, SteadyTime } from "../../clock/system-time.js";
import { REQUEST_PATIENCE_MS } from "../../limits/limits.js";

interface Stalling {
  /** Nothing has come of its request for `REQUEST_PATIENCE_MS`. */
  stall(): void;
}

/** The calls of a connection whose requests are not complete: what they hold is not theirs for ever. */
export class UnfinishedRequests {
  readonly #clock: SteadyTime;
  /** When something last came of each, the longest ago first. */
  readonly #calls = new Map<Stalling, number>();
  #cancelTimer: Cancel | undefined;

  constructor(clock: SteadyTime) {
    this.#clock = clock;
  }

  /** Something has come of its request. */
  progress(call: Stalling): void {
    this.#calls.delete(call);
    this.#calls.set(call, this.#clock.steadyMs());
    this.#cancelTimer ??= this.#lookAfter(REQUEST_PATIENCE_MS);
  }

  delete(call: Stalling): void {
    this.#calls.delete(call);
  }

  close(): void {
    this.#calls.clear();
    this.#cancelTimer?.();
  }

  #lookAfter(ms: number): Cancel {
    return this.#clock.after(ms, () => {
      this.#cancelTimer = undefined;
      const nowMs = this.#clock.steadyMs();
      for (const [call, atMs] of this.#calls) {
        const leftMs = Math.ceil(atMs + REQUEST_PATIENCE_MS - nowMs);
        if (leftMs > 0) {
          this.#cancelTimer ??= this.#lookAfter(leftMs);
          return;
        }
        this.#calls.delete(call);
        call.stall();
      }
    });
  }
}
