import type { OrchestrationResult, RunResult } from "./run-result.js";

const NOTHING: OrchestrationResult["counts"] = {
  orchestrations: { started: 0, completed: 0, failed: 0, terminated: 0, unfinished: 0 },
};

/** The result of a run as far as it is of one orchestration of its mix. */
export function resultOfOrchestration(result: RunResult, orchestrator: string): RunResult {
  const { schemaVersion, runId, startedAt, durationMs, interrupted, plan, environment, verdict } = result;
  const part = result.byOrchestration?.find((each) => each.orchestrator === orchestrator);
  const { counts = NOTHING, throughput, latencyMs = {}, histograms } = part ?? {};
  return {
    schemaVersion,
    runId,
    startedAt,
    durationMs,
    interrupted,
    plan,
    environment,
    ...(verdict && { verdict }),
    counts: { ...counts, rpcErrors: {} },
    ...(throughput && { throughput }),
    latencyMs,
    ...(histograms && { histograms }),
  };
}
