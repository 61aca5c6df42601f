import type { ResultCounts } from "../result/run-result.js";
import type { Completion } from "./completion.js";

/** What became of the starts of a run, or of a part of them. */
export class OutcomeCounts {
  readonly #ended = { completed: 0, failed: 0, terminated: 0 };
  #started = 0;
  #inWarmup = 0;

  /** Starts that were due in the warm-up. */
  get inWarmup(): number {
    return this.#inWarmup;
  }

  get orchestrations(): ResultCounts["orchestrations"] {
    const { completed, failed, terminated } = this.#ended;
    const unfinished = this.#started - completed - failed - terminated;
    return { started: this.#started, completed, failed, terminated, unfinished };
  }

  /**
   * The share of started orchestrations that a longer run might have shown to be the slowest. Terminated ones were cut
   * off too.
   */
  get censored(): number {
    const { started, terminated, unfinished } = this.orchestrations;
    return started === 0 ? 0 : (unfinished + terminated) / started;
  }

  addStart(isMeasured: boolean): void {
    this.#started += 1;
    if (!isMeasured) this.#inWarmup += 1;
  }

  addEnd(outcome: Completion["outcome"]): void {
    this.#ended[outcome] += 1;
  }

  /** Adds everything of another generator. */
  absorb({ started, completed, failed, terminated }: ResultCounts["orchestrations"], inWarmup: number): void {
    this.#started += started;
    this.#inWarmup += inWarmup;
    this.#ended.completed += completed;
    this.#ended.failed += failed;
    this.#ended.terminated += terminated;
  }
}
