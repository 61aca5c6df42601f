import type { MeasuredStarts, OrchestrationResult, ResultCounts } from "../result/run-result.js";
import { censoredShare } from "../result/stored-percentile.js";
import type { Completion } from "./completion.js";
import { sums } from "./sums.js";

type Outcome = Completion["outcome"];

/** What became of the starts of a run, or of a part of them. */
export class OutcomeCounts {
  readonly #all = new Outcomes();
  readonly #ofMeasured = new Outcomes();
  /** Starts that were due in the warm-up. */
  inWarmup = 0;
  /** Those of other generators; undefined if one does not tell its own. */
  #absorbed: MeasuredStarts | undefined = { started: 0, terminated: 0, unfinished: 0 };

  get orchestrations(): ResultCounts["orchestrations"] {
    const { started, completed, failed, terminated, unfinished } = this.#all;
    return { started, completed, failed, terminated, unfinished };
  }

  /** The starts that latencies are of; undefined if another generator does not tell its own. */
  get measured(): MeasuredStarts | undefined {
    const { started, terminated, unfinished } = this.#ofMeasured;
    return this.#absorbed && sums([{ started, terminated, unfinished }, this.#absorbed]);
  }

  get counts(): Pick<ResultCounts, "orchestrations" | "measured"> {
    const { orchestrations, measured } = this;
    return { orchestrations, ...(measured && { measured }) };
  }

  /** As `censoredShare`. */
  get censored(): number {
    return censoredShare(this);
  }

  addStart(isMeasured: boolean): void {
    this.#all.started += 1;
    if (isMeasured) this.#ofMeasured.started += 1;
    else this.inWarmup += 1;
  }

  addEnd(outcome: Outcome, isMeasured: boolean): void {
    this.#all[outcome] += 1;
    if (isMeasured) this.#ofMeasured[outcome] += 1;
  }

  /** Adds everything of another generator. */
  absorb({ orchestrations, warmup = 0, measured }: OrchestrationResult["counts"]): void {
    this.#all.started += orchestrations.started;
    this.#all.completed += orchestrations.completed;
    this.#all.failed += orchestrations.failed;
    this.#all.terminated += orchestrations.terminated;
    this.inWarmup += warmup;
    this.#absorbed = this.#absorbed && measured && sums([this.#absorbed, measured]);
  }
}

class Outcomes {
  started = 0;
  completed = 0;
  failed = 0;
  terminated = 0;

  get unfinished(): number {
    return this.started - this.completed - this.failed - this.terminated;
  }
}
