import type { Clock } from "../../async/clock.js";
import type { Wait } from "../../async/wait.js";
import { CheckedWay } from "./checked-way.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { PollByBucket } from "./poll-by-bucket.js";
import { PollByCompletion } from "./poll-by-completion.js";
import { PollByInstance } from "./poll-by-instance.js";
import type { PollWay } from "./poll-way.js";
import { RETRY_PAUSE_MS } from "./worth-another-try.js";

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;

export interface PollerOptions {
  readonly calls: NoticingCalls;
  readonly open: OpenInstances;
  readonly clock: Clock;
  readonly wait: Wait;
  readonly signal: AbortSignal;
  /** Called before each poll, when no call is in progress. It may remove instances. */
  readonly beforePoll: () => void;
}

/** From the cheapest way to the one that every backend supports. */
const WAYS: readonly ((options: PollerOptions) => PollWay)[] = [
  ({ calls, open, clock }) => new PollByCompletion(calls, open, clock),
  ({ calls, open }) => new PollByBucket(calls, open),
  ({ calls, open }) => new PollByInstance(calls, open),
];

/**
 * Polls while instances are open, in the best way that the backend supports. Searching takes at most half of the time.
 * Asking for found instances does not count, because every end is asked for once.
 */
export class Poller {
  /** A way that did not work is not tried again. */
  #wayNumber = 0;
  #running = false;

  constructor(readonly options: PollerOptions) {}

  /** Continues until no instance is open. */
  start(): void {
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { open, clock, wait, signal, beforePoll } = this.options;
    this.#running = true;
    let way = this.#newWay();
    let pauseMs = SHORTEST_PAUSE_MS;
    for (;;) {
      await wait(pauseMs, signal);
      if (!signal.aborted) beforePoll();
      if (signal.aborted || open.size === 0) break;
      const startedMs = clock();
      const settledThen = open.settled;
      let searchedMs = 0;
      try {
        const wentWell = await way.poll(() => (searchedMs = clock() - startedMs));
        const leastMs = wentWell ? pauseAfter(open.settled - settledThen, pauseMs) : RETRY_PAUSE_MS;
        pauseMs = Math.max(leastMs, searchedMs);
      } catch (error) {
        this.#wayNumber += 1;
        if (this.#wayNumber === WAYS.length) open.rejectAll(error);
        way = this.#newWay();
      }
    }
    // In the same turn, so that an instance added from now on starts it again.
    this.#running = false;
  }

  #newWay(): CheckedWay {
    const { calls, open } = this.options;
    this.#wayNumber = Math.min(this.#wayNumber, WAYS.length - 1);
    return new CheckedWay(WAYS[this.#wayNumber]!(this.options), calls, open);
  }
}

function pauseAfter(settled: number, pauseMs: number): number {
  return settled > 0 ? SHORTEST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
}
