import { grpcCodeOf } from "../../backend/missing-call.js";
import type { NoticingCalls } from "./noticing-calls.js";
import type { OpenInstances } from "./open-instances.js";
import { settleEach, type PollWay } from "./poll-way.js";
import { isWorthAnotherTry } from "./worth-another-try.js";

/** Polls from one check of overdue instances to the next, and how many instances a check asks for. */
const POLLS_PER_CHECK = 10;
const CHECKED = 100;
/** A way that was answered with an error so often, and never without one, does not work on this backend. */
const MOST_FAILURES = 3;
/** Nor does one that found nothing between so many checks in a row, each of which did. */
const MOST_FRUITLESS = 2;

/**
 * A way whose word is not taken for it: now and then some of the instances that are overdue are asked for one by one,
 * which finds those that the way has missed and those that are gone.
 */
export class CheckedWay {
  #polls = 0;
  #failures = 0;
  #fruitless = 0;
  /** How many instances were settled before the last check ended. */
  #settledThen = 0;

  constructor(
    readonly way: PollWay,
    readonly calls: NoticingCalls,
    readonly open: OpenInstances,
  ) {}

  /**
   * Resolves with false where it failed and is worth another try, and with true else. Rejects where this way is not to
   * be gone any further. `onSearched` is called before what was found is asked for, one by one.
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
    if (this.#fruitless >= MOST_FRUITLESS) throw new Error("it does not tell of what has ended");
  }
}
