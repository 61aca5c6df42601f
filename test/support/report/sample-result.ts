import type { RunResult } from "../../../src/result/run-result.js";

/** A run of 200 in which all went well. */
export const sampleResult: RunResult = {
  schemaVersion: 1,
  runId: "r0123456789ab",
  startedAt: "2030-01-02T03:04:05.678Z",
  durationMs: 12_345,
  interrupted: false,
  plan: { iterations: 10, parallelActivities: 10, parallelOrchestrations: 200, workers: "auto", timeoutMs: 600_000 },
  environment: {
    fanoutVersion: "0.1.0",
    sdkVersion: "0.4.0",
    node: "24.0.0",
    platform: "linux",
    cpu: { model: "a cpu", cores: 2 },
    backend: { kind: "emulator", name: "the embedded emulator", durability: "disk" },
    taskHub: "default",
    transport: "http2",
    ownWorkers: 2,
    workers: { replay: "sessions" },
    hub: { unfinished: 0, more: false, runs: [], foreign: { unfinished: 0, orchestrators: [] } },
  },
  counts: {
    orchestrations: { started: 200, completed: 200, failed: 0, terminated: 0, unfinished: 0 },
    activities: { needed: 20_000, completed: 20_000 },
    actions: 40_200,
    rpcErrors: {},
  },
  throughput: {
    makespanMs: 12_300,
    orchestrationsPerSecond: 16.26,
    activitiesPerSecond: 1_626,
    actionsPerSecond: 3_268,
  },
  latencyMs: {
    response: { count: 200, mean: 6_000, p50: 6_100, p90: 11_000, max: 12_300 },
    startRpc: { count: 200, mean: 4.2, p50: 4.1, max: 20.5 },
  },
};
