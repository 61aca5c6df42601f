import { figureOf } from "../result/figure.js";
import { resultPlan } from "../result/plan-schema.js";
import type { RunResult } from "../result/run-result.js";

type FlatValue = string | number | boolean | undefined;

const LATENCIES = ["response", "service", "server", "startRpc", "slip"];
const SUMMARY = ["count", "mean", "p50", "p90", "p99", "p999", "max"];
const CROSSING = ["until", "boundMs"];

/**
 * The paths of the single values in the JSON of a result, or the names that thresholds use for derived values. The
 * names and their order are a published contract, because spreadsheets and scripts refer to them. Add new ones at the
 * end.
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
  ...pathsOf(LATENCIES, SUMMARY),
  "plan.load",
  "plan.warmupMs",
  "plan.graceMs",
  "plan.seed",
  "plan.labels",
  "verdict.status",
  "verdict.reasons",
  "counts.planned",
  "counts.warmup",
  "counts.activities.reExecuted",
  "counts.activities.source",
  "throughput.windowMs",
  ...pathsOf(["response", "service"], CROSSING),
  ...pathsOf(["detectionLag"], [...SUMMARY, "boundMs"]),
  "stalls",
  "longest stall",
  "generator.heldBack",
  ...["slipMs", "eventLoopDelayMs"].flatMap((latency) => SUMMARY.map((figure) => `generator.${latency}.${figure}`)),
  "generator.clockJumpMs",
  "generator.cpu.machine",
  "generator.cpu.generator",
  "clock.offsetMs",
  "clock.boundMs",
  "clock.driftMs",
  "concurrency.planned",
  "concurrency.effective",
  "noticing",
  "recount.instances",
  "recount.byStatus",
  "recount.lost.total",
  "recount.unexpected.total",
  "recount.unknown",
  "unanswered.total",
  "environment.backend.durability",
  "environment.transport",
  "environment.workers.replay",
  "environment.hub.foreign.unfinished",
  ...pathsOf([...LATENCIES, "detectionLag"], ["p95"]),
  ...["slipMs", "eventLoopDelayMs"].map((latency) => `generator.${latency}.p95`),
  ...["mean", "p50", "p90", "p95", "p99", "p999"].map((figure) => `generator.slipShare.${figure}`),
  "generator.slipGrowthMs",
  "counts.actionsAtLeast",
  "counts.actionsMissing",
  "counts.rpcErrorsByCall",
  "plan.inputs",
  "plan.instanceVersion",
  "plan.tags",
  "plan.shard",
  "plan.planFile",
  "plan.subOrchestrations",
  "plan.timer",
  "plan.orchestrations",
  "counts.unsent",
];

/** Fields of the plan that are not in the list follow it. Add them to the list before any other path. */
const PLAN_PATHS = Object.keys(resultPlan.shape).map((field) => `plan.${field}`);
const ALL_PATHS = [...new Set([...PATHS, ...PLAN_PATHS])];

/** The values of each orchestration of a mix. The name of the orchestration is before the path, as in thresholds. */
const PATHS_OF_EACH: readonly string[] = [
  ...["started", "completed", "failed", "terminated", "unfinished"].map(
    (outcome) => `counts.orchestrations.${outcome}`,
  ),
  "throughput.orchestrationsPerSecond",
  ...pathsOf(["response", "service"], [...SUMMARY, "p95"]),
];

/** Values that are lists in the JSON, which no cell can hold. */
const MADE_OF_SEVERAL = new Set(["stalls", "longest stall"]);

/** The orchestrations that any of the runs mixed. */
export function orchestrationsOf(results: readonly RunResult[]): readonly string[] {
  const names = results.flatMap(({ byOrchestration = [] }) => byOrchestration.map(({ orchestrator }) => orchestrator));
  return [...new Set(names)];
}

/**
 * The single values of a result by their path in its JSON. The paths and their order never change; a missing value is
 * undefined. An object, such as the RPC errors by status, is JSON text. The values of each orchestration follow.
 */
export function flatResult(
  result: RunResult,
  orchestrations = orchestrationsOf([result]),
): readonly (readonly [path: string, value: FlatValue])[] {
  const ofRun = ALL_PATHS.map(
    (path) =>
      [
        path,
        MADE_OF_SEVERAL.has(path) ? figureOf(path)?.read(result) : flatValue(valueAt(result, path.split("."))),
      ] as const,
  );
  const ofEach = orchestrations.flatMap((name) => {
    const part = result.byOrchestration?.find(({ orchestrator }) => orchestrator === name);
    return PATHS_OF_EACH.map((path) => [`${name} ${path}`, flatValue(valueAt(part, path.split(".")))] as const);
  });
  return [...ofRun, ...ofEach];
}

function pathsOf(latencies: readonly string[], figures: readonly string[]): readonly string[] {
  return latencies.flatMap((latency) => figures.map((figure) => `latencyMs.${latency}.${figure}`));
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
