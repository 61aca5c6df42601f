import type { LoadShape } from "../../../src/result/load-shape.js";
import { LatencyHistogram } from "../../../src/stats/latency-histogram.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { Series } from "../../../src/stats/series.js";
import { sampleResult } from "../report/sample-result.js";
import { detectorOf, type Life } from "./simulated-run.js";

export type Measured = Omit<RunResult, "verdict">;

/** When each ends that came at a time, first come, first served, by so many servers. */
export function queued(startsMs: readonly number[], servers: number, serviceMs: (startMs: number) => number): Life[] {
  const freeMs = Array.from({ length: servers }, () => 0);
  return startsMs.map((startMs) => {
    const idlest = freeMs.reduce((best, ms, index) => (ms < freeMs[best]! ? index : best), 0);
    const endMs = Math.max(startMs, freeMs[idlest]!) + serviceMs(startMs);
    freeMs[idlest] = endMs;
    return { startMs, endMs };
  });
}

export function openLoadOf(perSecond: number, lengthMs: number): LoadShape {
  const stages = [{ fromPerSecond: perSecond, toPerSecond: perSecond, lengthMs }];
  return { kind: "open", arrival: "poisson", stages, maxInFlight: 100_000 };
}

/** What a run of them shows over time, that waits for the last to end but no longer than ten seconds. */
export function runOf(lives: readonly Life[], load: LoadShape, lengthMs: number, warmupMs = 0): Measured {
  const lastMs = lives.reduce((last, { endMs }) => Math.max(last, endMs), 0);
  const endMs = Math.min(Math.max(lengthMs, lastMs), lengthMs + 10_000);
  const series = new Series();
  const service = new LatencyHistogram();
  for (const life of lives) {
    series.addOffered(life.startMs);
    series.addStart(life.startMs);
    if (life.endMs > endMs) continue;
    series.addEnd(life.endMs, "completed");
    series.addLatency("service", "noticed", life.startMs, life.endMs - life.startMs);
    if (life.startMs >= warmupMs) service.add(life.endMs - life.startMs);
  }
  const summary = service.summary();
  return {
    ...sampleResult,
    durationMs: endMs,
    plan: { ...sampleResult.plan, load, warmupMs },
    latencyMs: summary ? { service: summary } : {},
    series: series.close(endMs, {
      until: { response: "noticed", service: "noticed" },
      hasResponse: false,
      hasActivities: false,
      hasActions: false,
      furtherActions: 0,
    }),
    stalls: detectorOf(lives, endMs).close(endMs),
  };
}
