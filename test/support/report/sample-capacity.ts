import type { CapacityProbe, CapacityResult } from "../../../src/result/capacity-schema.js";
import { openLoadResult } from "./open-load-result.js";

function probeAt(level: number, outcome: "held" | "missed", p99: number, number: number): CapacityProbe {
  return {
    number,
    runId: `r0123456789ab.${number}`,
    purpose: "bisect",
    level,
    outcome,
    ...(outcome === "missed" && { reason: "p99<100ms missed" }),
    early: false,
    loadMs: 12_000,
    started: Math.round(12 * level),
    completed: Math.round(12 * level),
    failed: 0,
    unfinished: 0,
    left: 0,
    completedPerSecond: level,
    latencyMs: { mean: p99 / 3, p50: p99 / 4, p90: p99 / 2, p99, max: 2 * p99 },
    objectives: [{ expression: "p99<100ms", value: p99, passed: outcome === "held" }],
    verdict: "valid",
  };
}

/** A search that found an interval. */
export const sampleCapacity: CapacityResult = {
  schemaVersion: 1,
  searchId: "r0123456789ab",
  startedAt: "2030-01-02T03:04:05.678Z",
  durationMs: 151_000,
  load: "open",
  objectives: ["p99<100ms"],
  precision: 0.05,
  plan: openLoadResult.plan,
  environment: openLoadResult.environment,
  ended: "found",
  why: "three probes agree at each end of the interval",
  held: 342.1,
  missed: 357.4,
  confirmed: true,
  disagreements: [{ level: 342.1, outcomes: ["held", "missed", "held", "held"] }],
  atHeld: {
    orchestrationsPerSecond: 342.1,
    activitiesPerSecond: 17_105,
    actionsPerSecond: 34_552,
    capacityUnits: 17.276,
    shareOfCapacity: 5.76,
  },
  latencyAtHeldMs: { mean: 30, p50: 22, p90: 48, p99: 95, max: 190 },
  latencyAtHalfMs: { mean: 10, p50: 8, p90: 16, p99: 32, max: 64 },
  knee: 171,
  atLeast: { level: 300, passed: true },
  left: [],
  probes: [probeAt(171, "held", 32, 1), probeAt(357.4, "missed", 140, 2), probeAt(342.1, "held", 95, 3)],
};
