import type { OrchestrationResult, ResultPlan } from "../result/run-result.js";
import type { Completion, Start } from "./completion.js";
import { OutcomeCounts } from "./outcome-counts.js";
import { RunLatencies, type BridgedTime } from "./run-latencies.js";
import { ThroughputWindow } from "./throughput-window.js";

type Figures = Omit<OrchestrationResult, "orchestrator">;

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

  soFar(): Figures {
    return {
      counts: this.#counts,
      latencyMs: this.#latencies.summariesNoticed(this.#outcomes.censored, this.#latencyOptions),
    };
  }

  /** For a merge during the run; with latencies only where somebody judges them. */
  standing(hasLatencies: boolean): Figures {
    return {
      counts: this.#counts,
      latencyMs: {},
      ...(hasLatencies && { tally: { latencies: this.#latencies.tallyNoticed(), window: this.#window.tally() } }),
    };
  }

  close(): Figures {
    return {
      counts: this.#counts,
      latencyMs: this.#latencies.summaries(this.#outcomes.censored, this.#latencyOptions),
      histograms: this.#latencies.encoded(this.#latencyOptions),
      ...(this.plan.shard && { tally: { latencies: this.#latencies.tally(), window: this.#window.tally() } }),
    };
  }

  get #counts(): Figures["counts"] {
    const { inWarmup, counts } = this.#outcomes;
    return { ...(this.plan.warmupMs !== undefined && { warmup: inWarmup }), ...counts };
  }

  /** Closed load has no schedule, and therefore no response time. */
  get #latencyOptions() {
    return { hasResponse: this.plan.load?.kind !== "closed" };
  }
}
