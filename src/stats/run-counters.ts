import type { FailedInstance, ResultPlan, RunResult } from "../result/run-result.js";
import { activitiesOf } from "../result/run-size.js";
import type { Completion, Start } from "./completion.js";
import { OutcomeCounts, type Unsent } from "./outcome-counts.js";
import { countsOf, type Counted } from "./run-counts.js";
import { SequenceSet } from "./sequence-set.js";

const LISTED_FAILURES = 10;

export interface RunCountersOptions {
  readonly plan: ResultPlan;
  /** Who counts activities: the emulator, or each completion. */
  readonly activitySource: "emulator" | "completions";
}

/** The counts of a run in progress. Its memory grows by only two bits for each start. */
export class RunCounters {
  /** The numbers of the starts that the backend acknowledged. */
  readonly accepted = new SequenceSet();
  /** The numbers of the starts that completed. */
  readonly completed = new SequenceSet();
  readonly failures: FailedInstance[] = [];
  /** Failed attempts by gRPC status. */
  readonly rpcErrors: Record<string, number> = {};
  readonly #rpcErrorsByCall: Record<string, Record<string, number>> = {};
  readonly #outcomes = new OutcomeCounts();
  #heldBack = 0;
  #activities = 0;

  constructor(readonly options: RunCountersOptions) {}

  /** Starts that `--max-in-flight` held back. */
  get heldBack(): number {
    return this.#heldBack;
  }

  /** Starts that were due in the warm-up. */
  get inWarmup(): number {
    return this.#outcomes.inWarmup;
  }

  get orchestrations(): RunResult["counts"]["orchestrations"] {
    return this.#outcomes.orchestrations;
  }

  /** The activities that the outputs of completed orchestrations account for. */
  get activitiesAccountedFor(): number {
    return this.orchestrations.completed * this.#activitiesOfEach;
  }

  addStart({ heldBack }: Start, { isMeasured }: { readonly isMeasured: boolean }): void {
    this.#outcomes.addStart(isMeasured);
    if (heldBack) this.#heldBack += 1;
  }

  addUnsent({ isMeasured }: { readonly isMeasured: boolean }): void {
    this.#outcomes.addUnsent(isMeasured);
  }

  addEnd(completion: Completion, { isMeasured }: { readonly isMeasured: boolean }): void {
    const { start, outcome } = completion;
    this.#outcomes.addEnd(outcome, isMeasured);
    if (outcome === "completed") this.completed.add(start.sequence);
    if (outcome === "failed") this.#listFailure(completion);
  }

  /** A completed orchestration is now part of the figures. Its activities count if nobody else counts them. */
  addPlaced(): void {
    if (this.options.activitySource === "completions") this.#activities += this.#activitiesOfEach;
  }

  /** `total` is the number of completed activities so far. Returns the increase. */
  addActivities(total: number): number {
    const more = Math.max(0, total - this.#activities);
    this.#activities += more;
    return more;
  }

  addRpcErrors({ call, status }: { readonly call: string; readonly status: string }, count: number): void {
    const ofCall = (this.#rpcErrorsByCall[call] ??= {});
    ofCall[status] = (ofCall[status] ?? 0) + count;
    this.rpcErrors[status] = (this.rpcErrors[status] ?? 0) + count;
  }

  /** The counts of a result. */
  counts(
    neverSent: number,
    { unsent, ...atEnd }: Pick<Counted, "executed" | "irregular"> & { readonly unsent?: Unsent } = {},
  ): RunResult["counts"] {
    return countsOf(this.options.plan, {
      ...this.#outcomes.counts(unsent),
      accepted: this.accepted.size,
      inWarmup: this.inWarmup,
      neverSent,
      activities: this.#activities,
      activitySource: this.options.activitySource,
      rpcErrors: this.rpcErrors,
      rpcErrorsByCall: this.#rpcErrorsByCall,
      ...atEnd,
    });
  }

  get #activitiesOfEach(): number {
    return activitiesOf(this.options.plan) ?? 0;
  }

  #listFailure({ start, failure }: Completion): void {
    if (this.failures.length >= LISTED_FAILURES) return;
    const { type, message } = failure ?? { type: "Unknown", message: "the backend gave no reason" };
    this.failures.push({ instanceId: start.instanceId, type, message });
  }
}
