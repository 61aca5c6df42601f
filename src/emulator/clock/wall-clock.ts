import type { SystemTime } from "./system-time.js";

/** Further apart than this, the system's clock was set and the steady one follows it. */
const STEP_MS = 20;
/** What the system's clock may be set back by without being followed at once: as much as its keepers correct by themselves. */
const MOST_WAITED_MS = 10_000;

/**
 * Microseconds since the epoch, finer than the system's clock and steady between two adjustments of it.
 *
 * Orchestrators read the time off histories, and no orchestrator is written for time that goes back. So where the
 * system's clock was set back this one goes on at half its speed until the other has caught up. It does not where that
 * would take longer than `MOST_WAITED_MS` twice: then somebody has mended a clock that was wrong, new scheduled starts
 * mean the new time, and the histories of what is in flight do go back.
 */
export class WallClock {
  readonly #time: SystemTime;
  #originMs: number;
  #lastMs: number;

  constructor(time: SystemTime) {
    this.#time = time;
    this.#originMs = time.originMs;
    this.#lastMs = time.steadyMs();
  }

  nowUs(): number {
    const steadyMs = this.#time.steadyMs();
    const aheadMs = this.#originMs + steadyMs - this.#time.epochMs();
    if (aheadMs < -STEP_MS || aheadMs > MOST_WAITED_MS) this.#originMs -= aheadMs;
    else if (aheadMs > STEP_MS) this.#originMs -= Math.min(aheadMs, (steadyMs - this.#lastMs) / 2);

    this.#lastMs = steadyMs;
    return Math.round((this.#originMs + steadyMs) * 1000);
  }
}
