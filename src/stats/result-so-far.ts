import { resultOfOrchestration } from "../result/result-of-orchestration.js";
import type { OrchestrationResult, RunResult } from "../result/run-result.js";

/** The latencies that begin on the client's clock and end on the backend's. */
export type LeastLatencies = Pick<RunResult["latencyMs"], "response" | "service">;

interface Least {
  /**
   * The lower bounds of the latencies that the result will have. Those of a run in progress last until the client noticed
   * the end, which may be much later.
   */
  readonly leastLatencyMs?: LeastLatencies;
}

/** The result of a run in progress. */
export type ResultSoFar = Omit<RunResult, "byOrchestration"> &
  Least & { readonly byOrchestration?: readonly (OrchestrationResult & Least)[] };

/** The result so far of one orchestration of a mix. */
export function soFarOfOrchestration(result: ResultSoFar, orchestrator: string): ResultSoFar {
  const { leastLatencyMs } = result.byOrchestration?.find((each) => each.orchestrator === orchestrator) ?? {};
  return { ...resultOfOrchestration(result, orchestrator), ...(leastLatencyMs && { leastLatencyMs }) };
}

/** The same with each latency at its lower bound, where one is known. */
export function atLeast(result: ResultSoFar): RunResult {
  return { ...result, latencyMs: { ...result.latencyMs, ...result.leastLatencyMs } };
}
