import type { Clock } from "../../../src/async/clock.js";
import type { Wait } from "../../../src/async/wait.js";

/** Turns of the event loop in which what a timer has set going comes to rest. */
const TURNS = 20;

/** Time that passes when a test says so. */
export class VirtualTime {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly fire: () => void }[] = [];

  readonly clock: Clock = () => this.#nowMs;

  readonly wait: Wait = (ms, signal) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
      this.#timers.push({ atMs: this.#nowMs + ms, fire: resolve });
    });

  after(ms: number): Promise<void> {
    return this.wait(ms, new AbortController().signal);
  }

  /** Lets all happen that happens until then. */
  async runUntil(ms: number): Promise<void> {
    for (;;) {
      await this.#passTurns();
      const [next] = this.#timers.toSorted((a, b) => a.atMs - b.atMs);
      if (!next || next.atMs > ms) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = ms;
    await this.#passTurns();
  }

  async #passTurns(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}
