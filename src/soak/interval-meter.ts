import type { SoakInterval } from "../result/soak-schema.js";
import type { Completion } from "../stats/completion.js";
import { LatencyHistogram } from "../stats/latency-histogram.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";

/** What a meter cannot see itself. */
export interface IntervalFacts {
  readonly leg: number;
  readonly endedMs: number;
  readonly warmupMs: number;
  readonly snapshot: LiveSnapshot;
  readonly workers: number | undefined;
  /** A shorter interval is not ended. */
  readonly leastMs: number;
}

/** Counts what ends in one interval after the other, in constant memory. */
export class IntervalMeter {
  #latency = new LatencyHistogram();
  #completed = 0;
  #failed = 0;
  #elapsedMs = 0;

  add({ outcome, start, noticedMs }: Completion): void {
    if (outcome === "failed") this.#failed += 1;
    if (outcome !== "completed") return;
    this.#completed += 1;
    this.#latency.add(noticedMs - start.intendedMs);
  }

  /** Ends the interval, and begins the next. Undefined if it is too short. */
  take({ leg, endedMs, warmupMs, snapshot, workers, leastMs }: IntervalFacts): SoakInterval | undefined {
    const { elapsedMs, orchestrations, own } = snapshot;
    const lengthMs = elapsedMs - this.#elapsedMs;
    if (lengthMs <= 0 || lengthMs < leastMs) return undefined;
    const { p50, p90 } = this.#latency.summary() ?? {};
    const interval = {
      leg,
      endedAt: new Date(endedMs).toISOString(),
      elapsedMs,
      lengthMs,
      ...(this.#elapsedMs < warmupMs && { warmup: true as const }),
      started: orchestrations.started,
      completed: this.#completed,
      failed: this.#failed,
      inFlight: own?.inFlight ?? 0,
      ...(p50 !== undefined && { p50 }),
      ...(p90 !== undefined && { p90 }),
      ...(workers !== undefined && { workers }),
      rpcErrors: { ...own?.rpcErrors },
    };
    this.#latency = new LatencyHistogram();
    this.#completed = 0;
    this.#failed = 0;
    this.#elapsedMs = elapsedMs;
    return interval;
  }
}
