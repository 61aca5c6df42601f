import { placeInMix } from "../result/mix.js";
import type { OrchestrationResult, ResultPlan, RunResult, Throughput } from "../result/run-result.js";
import type { Unsent } from "./outcome-counts.js";
import type { ResultSoFar } from "./result-so-far.js";
import { OrchestrationPart } from "./orchestration-part.js";
import { sumOf } from "./sums.js";

/** A start that is due and not sent. */
interface NextStart {
  readonly sequence: number;
  readonly isMeasured: boolean;
}

/** The figures of each orchestration of a mix; of none where the plan mixes none. */
export class OrchestrationFigures {
  readonly #parts: readonly OrchestrationPart[];
  /** A generator died with its figures. Those of the others would not add up to the run. */
  #isPartial = false;

  constructor(readonly plan: ResultPlan) {
    this.#parts = (plan.orchestrations ?? []).map(() => new OrchestrationPart(plan));
  }

  /** The part of the start with this number in the whole run. */
  of(sequence: number): OrchestrationPart | undefined {
    const { orchestrations, seed } = this.plan;
    return orchestrations && this.#parts[placeInMix(orchestrations, sequence, seed)];
  }

  /** The run ended early at this time, in milliseconds from its start. */
  cut(atMs: number): void {
    for (const part of this.#parts) part.cut(atMs);
  }

  /** Adds everything of another generator with the same plan. */
  absorb({ byOrchestration }: Pick<RunResult, "byOrchestration">): void {
    if (byOrchestration === undefined) this.#isPartial = true;
    for (const [place, part] of (byOrchestration ?? []).entries()) this.#parts[place]?.absorb(part);
  }

  /**
   * The figures during the run, when the backend's clock is not known yet. `unsent` are the starts that are due and not
   * sent.
   */
  soFar(unsent: Iterable<NextStart> = []): Pick<ResultSoFar, "byOrchestration"> {
    const unsentOf = this.#unsentOfEach(unsent);
    return this.#results((part) => part.soFar(unsentOf.get(part)));
  }

  /** The same for a merge. Only those that are `judged`, by their names, have latencies. */
  standing(judged: readonly string[], unsent: Iterable<NextStart>): Pick<RunResult, "byOrchestration"> {
    const unsentOf = this.#unsentOfEach(unsent);
    return this.#results((part, orchestrator) => part.standing(judged.includes(orchestrator), unsentOf.get(part)));
  }

  /** `throughput` is that of the run, of which each has its part. */
  close(throughput: Throughput | undefined, isSettled: boolean): Pick<RunResult, "byOrchestration"> {
    const all = sumOf(this.#parts, (part) => part.counted(isSettled));
    return this.#results((part) => {
      const share = all === 0 ? 0 : part.counted(isSettled) / all;
      const perSecond = throughput && throughput.orchestrationsPerSecond * share;
      return {
        ...(perSecond !== undefined && { throughput: { orchestrationsPerSecond: perSecond } }),
        ...part.close(),
      };
    });
  }

  #unsentOfEach(starts: Iterable<NextStart>): ReadonlyMap<OrchestrationPart, Unsent> {
    const unsentOf = new Map<OrchestrationPart, Unsent>();
    if (this.#parts.length === 0) return unsentOf;
    for (const { sequence, isMeasured } of starts) {
      const part = this.of(sequence)!;
      const { all, measured } = unsentOf.get(part) ?? { all: 0, measured: 0 };
      unsentOf.set(part, { all: all + 1, measured: measured + (isMeasured ? 1 : 0) });
    }
    return unsentOf;
  }

  #results(figuresOf: (part: OrchestrationPart, orchestrator: string) => Omit<OrchestrationResult, "orchestrator">) {
    const { orchestrations } = this.plan;
    if (orchestrations === undefined || this.#isPartial) return {};
    return {
      byOrchestration: orchestrations.map(({ orchestrator }, place) => ({
        orchestrator,
        ...figuresOf(this.#parts[place]!, orchestrator),
      })),
    };
  }
}
