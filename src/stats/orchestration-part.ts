import { censoredOf } from "../result/stored-percentile.js";
import type { OrchestrationResult, ResultPlan } from "../result/run-result.js";
import type { Completion, Start } from "./completion.js";
import type { LeastLatencies } from "./result-so-far.js";
import { OutcomeCounts, type Unsent } from "./outcome-counts.js";
import type { BridgedTime } from "./clock-bridge.js";
import { RunLatencies } from "./run-latencies.js";
import { ThroughputWindow } from "./throughput-window.js";

type Figures = Omit<OrchestrationResult, "orchestrator">;
type FiguresSoFar = Figures & { readonly leastLatencyMs: LeastLatencies };

/** The figures of one orchestration of a mix. */
export class OrchestrationPart {
  readonly #outcomes = new OutcomeCounts();
  readonly #latencies = new RunLatencies();
  readonly #window: ThroughputWindow;

  constructor(readonly plan: ResultPlan) {
    this.#window = new ThroughputWindow(plan);
  }

  addSend(start: Start, dueMs: number, isMeasured: boolean): void {
    this.#outcomes.addStart(isMeasured);
    this.#window.addStart(dueMs);
    if (isMeasured) this.#latencies.addSend(start);
  }

  /** A start was due and never sent. */
  addUnsent(isMeasured: boolean): void {
    this.#outcomes.addUnsent(isMeasured);
  }

  addAnswer(start: Start): void {
    this.#latencies.addAnswer(start);
  }

  addEnd(completion: Completion, isMeasured: boolean): void {
    this.#outcomes.addEnd(completion.outcome, isMeasured);
    if (completion.outcome === "completed" && isMeasured) this.#latencies.addNoticed(completion);
  }

  addBridged(completion: Completion, time: BridgedTime): void {
    this.#latencies.addBridged(completion, time);
  }

  /** As `ThroughputWindow.cut`. */
  cut(atMs: number): void {
    this.#window.cut(atMs);
  }

  /** A completion counts at this time. Both are milliseconds from the start of the run. */
  addCompleted(atMs: number, dueMs: number): void {
    this.#window.addCompleted(atMs, dueMs);
  }

  absorb({ counts, tally }: Figures): void {
    this.#outcomes.absorb(counts);
    if (tally === undefined) return;
    this.#latencies.absorb(tally.latencies);
    this.#window.absorb(tally.window);
  }

  /** The completions that the throughput of the run counts. */
  counted(isSettled: boolean): number {
    return this.#window.counted(isSettled);
  }

  /** `unsent` starts are due and not sent yet. */
  soFar(unsent?: Unsent): FiguresSoFar {
    const counts = this.#counts(unsent);
    const censored = censoredOf(counts);
    return {
      counts,
      latencyMs: this.#latencies.summariesNoticed(censored, this.#latencyOptions),
      leastLatencyMs: this.#latencies.summariesLeast(censored, this.#latencyOptions),
    };
  }

  /** For a merge during the run; with latencies only where somebody judges them. */
  standing(hasLatencies: boolean, unsent?: Unsent): Figures {
    return {
      counts: this.#counts(unsent),
      latencyMs: {},
      ...(hasLatencies && { tally: { latencies: this.#latencies.tallyNoticed(), window: this.#window.tally() } }),
    };
  }

  close(): Figures {
    const counts = this.#counts();
    return {
      counts,
      latencyMs: this.#latencies.summaries(censoredOf(counts), this.#latencyOptions),
      histograms: this.#latencies.encoded(this.#latencyOptions),
      ...(this.plan.shard && { tally: { latencies: this.#latencies.tally(), window: this.#window.tally() } }),
    };
  }

  #counts(unsent?: Unsent): Figures["counts"] {
    const { inWarmup } = this.#outcomes;
    return { ...(this.plan.warmupMs !== undefined && { warmup: inWarmup }), ...this.#outcomes.counts(unsent) };
  }

  /** Closed load has no schedule, and therefore no response time. */
  get #latencyOptions() {
    return { hasResponse: this.plan.load?.kind !== "closed" };
  }
}
