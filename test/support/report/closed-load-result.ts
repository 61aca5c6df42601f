import type { RunResult } from "../../../src/result/run-result.js";
import { sampleResult } from "./sample-result.js";

/** A minute of ten in flight, after a warm-up of ten seconds, in which all went well. */
export const closedLoadResult: RunResult = {
  ...sampleResult,
  durationMs: 70_200,
  plan: {
    ...sampleResult.plan,
    parallelOrchestrations: 10,
    load: { kind: "closed", durationMs: 60_000 },
    warmupMs: 10_000,
    graceMs: 30_000,
  },
  verdict: { status: "valid", reasons: [] },
  counts: {
    warmup: 430,
    orchestrations: { started: 3_012, completed: 3_012, failed: 0, terminated: 0, unfinished: 0 },
    activities: { needed: 301_200, completed: 301_200, source: "emulator" },
    actions: 605_412,
    rpcErrors: {},
  },
  throughput: {
    windowMs: 60_000,
    orchestrationsPerSecond: 42.9,
    activitiesPerSecond: 4_290,
    actionsPerSecond: 8_622.9,
  },
  latencyMs: {
    service: { count: 2_582, mean: 228.4, p50: 221, p90: 262, p99: 310, max: 402, until: "completed", boundMs: 0.4 },
    detectionLag: { count: 2_582, mean: 2.1, p50: 1.9, p90: 3.3, p99: 5.2, max: 9.4, boundMs: 0.4 },
    startRpc: { count: 2_582, mean: 2.2, p50: 2.1, p90: 2.9, p99: 4.1, max: 12.4 },
  },
  phases: [
    { name: "warm-up", fromMs: 0, lengthMs: 10_000, started: 430, completed: 430, completedPerSecond: 42.1 },
    { name: "measured", fromMs: 10_000, lengthMs: 60_000, started: 2_582, completed: 2_582, completedPerSecond: 42.9 },
  ],
  concurrency: { planned: 10, effective: 9.8 },
};
