import { grpcCodeOf } from "../../backend/missing-call.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { settleEach, type PollWay } from "./poll-way.js";
import { isWorthAnotherTry } from "./worth-another-try.js";

/** The number of polls between two checks of overdue instances, and the number of instances in a check. */
const POLLS_PER_CHECK = 10;
const CHECKED = 100;
/** A way that has failed this often, without a success, does not work on this backend. */
const MOST_FAILURES = 3;
/** Neither does a way that found nothing between this many successive checks, each of which found ended instances. */
const MOST_FRUITLESS = 2;

/**
 * Verifies a way of polling: from time to time it asks for some overdue instances one by one. It finds instances that
 * the way has missed, and instances that are gone.
 */
export class CheckedWay {
  #polls = 0;
  #failures = 0;
  #fruitless = 0;
  /** The number of settled instances at the end of the last check. */
  #settledThen = 0;

  constructor(
    readonly way: PollWay,
    readonly calls: NoticingCalls,
    readonly open: OpenInstances,
  ) {}

  /**
   * Resolves with true after a success, and with false after an error that a retry may repair. Rejects if this way does
   * not work. Calls `onSearched` before it asks for the found instances one by one.
   */
  async poll(onSearched: () => void): Promise<boolean> {
    try {
      const found = await this.way.search();
      onSearched();
      const ended = await settleEach(found, this.calls, this.open);
      for (const state of ended) this.way.learn?.(state);
      this.#polls += 1;
      if (this.#polls % POLLS_PER_CHECK === 0) await this.#check();
      return true;
    } catch (error) {
      if (!isWorthAnotherTry(error)) throw error;
      // A backend that is away answers nothing; one that is there and answers with errors lacks the call in its way.
      this.#failures += grpcCodeOf(error) === undefined ? 0 : 1;
      if (this.#polls === 0 && this.#failures >= MOST_FAILURES) throw error;
      return false;
    }
  }

  async #check(): Promise<void> {
    const foundNothing = this.open.settled === this.#settledThen;
    const missed = await settleEach(this.open.nextOverdue(CHECKED), this.calls, this.open);
    for (const state of missed) this.way.correct?.(state);
    this.#settledThen = this.open.settled;
    this.#fruitless = missed.length > 0 && foundNothing ? this.#fruitless + 1 : 0;
    if (this.#fruitless >= MOST_FRUITLESS) throw new Error("it does not report the instances that have ended");
  }
}
