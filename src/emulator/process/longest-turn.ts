import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the event loop is asked whether it comes round, milliseconds. */
const RESOLUTION_MS = 20;

/** The longest time for which the event loop of this process did nothing else. */
export class LongestTurn {
  readonly #delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    // What was done before, to open the store, kept nobody waiting.
    setImmediate(() => this.#delay.enable());
  }

  /** Milliseconds. A turn that is shorter than the time between two looks does not show. */
  get longestMs(): number {
    return Math.max(0, Math.round(this.#delay.max / 1e6 - RESOLUTION_MS));
  }

  stop(): void {
    this.#delay.disable();
  }
}
