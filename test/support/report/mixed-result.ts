import type { OrchestrationResult, RunResult } from "../../../src/result/run-result.js";
import { closedLoadResult } from "./closed-load-result.js";

const { activities: _activities, actions: _actions, ...counts } = closedLoadResult.counts;
const { iterations: _iterations, parallelActivities: _parallel, ...plan } = closedLoadResult.plan;

function part(orchestrator: string, started: number, failed: number, firstMs: number): OrchestrationResult {
  return {
    orchestrator,
    counts: { orchestrations: { started, completed: started - failed, failed, terminated: 0, unfinished: 0 } },
    throughput: { orchestrationsPerSecond: (started - failed) / 60 },
    latencyMs: {
      service: {
        count: started - failed,
        mean: firstMs + 1,
        p50: firstMs + 2,
        p90: firstMs + 3,
        p99: firstMs + 4,
        max: firstMs + 5,
        until: "noticed",
      },
    },
  };
}

/** A closed load of two orchestrations. One of them failed sometimes. */
export const mixedResult: RunResult = {
  ...closedLoadResult,
  plan: {
    ...plan,
    orchestrations: [
      { orchestrator: "Order", weight: 3 },
      { orchestrator: "Refund, late", weight: 1 },
    ],
  },
  counts: {
    ...counts,
    orchestrations: { started: 3_000, completed: 2_990, failed: 10, terminated: 0, unfinished: 0 },
  },
  throughput: { windowMs: 60_000, orchestrationsPerSecond: 2_990 / 60 },
  byOrchestration: [part("Order", 2_250, 0, 100), part("Refund, late", 750, 10, 200)],
  recount: {
    instances: 2_999,
    byStatus: { Completed: 2_989, Failed: 10 },
    lost: { total: 1, first: ["r0123456789ab-00000-001"] },
    unexpected: { total: 0, first: [] },
    byOrchestration: [
      { orchestrator: "Order", instances: 2_250, lost: 0, unexpected: 0 },
      { orchestrator: "Refund, late", instances: 749, lost: 1, unexpected: 0 },
    ],
  },
};
