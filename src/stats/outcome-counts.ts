import type { MeasuredStarts, OrchestrationResult, ResultCounts } from "../result/run-result.js";
import type { Completion } from "./completion.js";
import { sums } from "./sums.js";

type Outcome = Completion["outcome"];

/** Starts that are due and not sent. */
export interface Unsent {
  readonly all: number;
  /** Those that were due after the warm-up. */
  readonly measured: number;
}

/** What became of the starts of a run, or of a part of them. */
export class OutcomeCounts {
  readonly #all = new Outcomes();
  readonly #ofMeasured = new Outcomes();
  /** Starts that were due in the warm-up. */
  inWarmup = 0;
  readonly #unsent = { all: 0, measured: 0 };
  /** Those of other generators; undefined if one does not tell its own. */
  #absorbed: MeasuredStarts | undefined = { started: 0, terminated: 0, unfinished: 0 };

  get orchestrations(): ResultCounts["orchestrations"] {
    const { started, completed, failed, terminated, unfinished } = this.#all;
    return { started, completed, failed, terminated, unfinished };
  }

  /** `more` are due now and may still be sent. */
  counts(more: Unsent = { all: 0, measured: 0 }): Pick<ResultCounts, "orchestrations" | "measured" | "unsent"> {
    const { orchestrations } = this;
    const unsent = this.#unsent.all + more.all;
    const measured = this.#measured(this.#unsent.measured + more.measured);
    return { orchestrations, ...(measured && { measured }), ...(unsent > 0 && { unsent }) };
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

  /** A start was due and never sent. */
  addUnsent(isMeasured: boolean): void {
    this.#unsent.all += 1;
    if (isMeasured) this.#unsent.measured += 1;
  }

  /** Adds everything of another generator. */
  absorb({ orchestrations, warmup = 0, unsent = 0, measured }: OrchestrationResult["counts"]): void {
    this.#all.started += orchestrations.started;
    this.#all.completed += orchestrations.completed;
    this.#all.failed += orchestrations.failed;
    this.#all.terminated += orchestrations.terminated;
    this.inWarmup += warmup;
    this.#unsent.all += unsent;
    this.#absorbed = this.#absorbed && measured && sums([this.#absorbed, measured]);
  }

  /** The starts that latencies are of; undefined if another generator does not tell its own. */
  #measured(unsent: number): MeasuredStarts | undefined {
    const { started, terminated, unfinished } = this.#ofMeasured;
    const own = { started, terminated, unfinished, ...(unsent > 0 && { unsent }) };
    return this.#absorbed && sums([own, this.#absorbed]);
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
