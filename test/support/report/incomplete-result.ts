import type { RunResult } from "../../../src/result/run-result.js";
import { sampleResult } from "./sample-result.js";

/** A run from before there was other load than all at once, in which little went well. */
export const incompleteResult: RunResult = {
  ...sampleResult,
  interrupted: true,
  plan: {
    ...sampleResult.plan,
    orchestrator: "Order",
    activity: { durationMs: 50 },
    continueAsNewEvery: 5,
    subOrchestrations: 2,
    timer: { seed: 1 },
  },
  environment: {
    ...sampleResult.environment,
    hub: { unfinished: 7, more: true, runs: [{ runId: "r9999999999999", unfinished: 7 }] },
  },
  counts: {
    orchestrations: { started: 180, completed: 120, failed: 12, terminated: 1, unfinished: 47 },
    activities: { needed: 20_000, completed: 13_000 },
    actions: 26_180,
    rpcErrors: { UNAVAILABLE: 3, CANCELLED: 1 },
  },
  latencyMs: Object.fromEntries(
    ["response", "service", "server", "startRpc", "slip"].map((name) => [
      name,
      { count: 120_000, mean: 6_000, p50: 6_100, p90: 11_000, p99: 12_000, p999: 12_100, max: 12_300 },
    ]),
  ),
  failures: {
    total: 12,
    first: [{ instanceId: "r0123456789ab-00007", type: "FanInError", message: "lost | <b>0</b>\r\n& \u001B[31m`3`" }],
  },
  stuck: {
    total: 47,
    first: [
      { instanceId: "r0123456789ab-00008", status: "Running", iterationsCompleted: 3 },
      { instanceId: "r0123456789ab-00009", status: "Pending" },
      { instanceId: "r0123456789ab-00010", status: "Unknown" },
    ],
  },
  thresholds: [
    { expression: "activities/s>1000", value: 1_626, passed: true },
    { expression: "p99<500ms", value: 612, passed: false },
    { expression: "p999<1s", passed: false, reason: "not judged, the run was interrupted" },
  ],
};

/** The result with backend text of the worst kind wherever a backend's text may be. */
export function resultSaying(text: string): RunResult {
  return {
    ...incompleteResult,
    plan: { ...incompleteResult.plan, orchestrator: text, labels: { [`of ${text}`]: text } },
    environment: {
      ...incompleteResult.environment,
      backend: { kind: "scheduler", name: text },
      taskHub: text,
      hub: { unknown: text },
    },
    recount: { unknown: text },
    failures: { total: 1, first: [{ instanceId: text, type: text, message: text }] },
    stuck: { total: 1, first: [{ instanceId: text, status: text }] },
    thresholds: [{ expression: text, passed: false, reason: text }],
  };
}
