import type { RunResult } from "../stats/run-result.js";

type FlatValue = string | number | boolean | undefined;

const LATENCIES = ["response", "service", "server", "startRpc", "slip"];
const SUMMARY = ["count", "mean", "p50", "p90", "p99", "p999", "max"];

/**
 * Where in the JSON of a result its single values are. The names and their order are a published contract, for
 * spreadsheets and scripts refer to them: new ones go to the end.
 */
const PATHS: readonly string[] = [
  "runId",
  "startedAt",
  "durationMs",
  "interrupted",
  "plan.parallelOrchestrations",
  "plan.iterations",
  "plan.parallelActivities",
  "plan.orchestrator",
  "plan.workers",
  "plan.timeoutMs",
  "plan.activity",
  "plan.continueAsNewEvery",
  "environment.fanoutVersion",
  "environment.sdkVersion",
  "environment.node",
  "environment.platform",
  "environment.cpu.model",
  "environment.cpu.cores",
  "environment.backend.kind",
  "environment.backend.name",
  "environment.taskHub",
  "environment.ownWorkers",
  "environment.hub.unfinished",
  "counts.orchestrations.started",
  "counts.orchestrations.completed",
  "counts.orchestrations.failed",
  "counts.orchestrations.terminated",
  "counts.orchestrations.unfinished",
  "counts.activities.needed",
  "counts.activities.completed",
  "counts.actions",
  "counts.rpcErrors",
  "throughput.makespanMs",
  "throughput.orchestrationsPerSecond",
  "throughput.activitiesPerSecond",
  "throughput.actionsPerSecond",
  ...LATENCIES.flatMap((latency) => SUMMARY.map((figure) => `latencyMs.${latency}.${figure}`)),
];

/**
 * The single values of a result by their path in its JSON, always the same paths in the same order; undefined where
 * there is none. What is an object, such as the RPC errors by status, is JSON text.
 */
export function flatResult(result: RunResult): readonly (readonly [path: string, value: FlatValue])[] {
  return PATHS.map((path) => [path, flatValue(valueAt(result, path.split(".")))]);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => (isObject(found) ? found[key] : undefined), value);
}

function flatValue(value: unknown): FlatValue {
  if (isObject(value)) return JSON.stringify(value);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
