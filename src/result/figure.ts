import { percentileOf } from "./percentile.js";
import type { CrossingSummary, LatencySummary, RunResult, Stall } from "./run-result.js";

/** What a figure's numbers are: milliseconds, a share of 1, something per second, or a number of things. */
export type FigureKind = "duration" | "share" | "rate" | "count";

/** One number of a `RunResult`. */
export interface Figure {
  readonly kind: FigureKind;
  /** Where it stands in the result; absent where it is made of several. */
  readonly path?: string;
  /** Undefined where the run did not measure it. */
  readonly read: (result: RunResult) => number | undefined;
}

/** Some fields of T that are numbers, and of what kind. */
type Kinds<T> = { readonly [K in keyof T]?: NonNullable<T[K]> extends number ? FigureKind : Kinds<NonNullable<T[K]>> };

interface KindTree {
  readonly [key: string]: FigureKind | KindTree;
}

/** https://grpc.io/docs/guides/status-codes/ without OK: a status that is misspelt would never be found, and so pass. */
const GRPC_ERRORS = [
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

const LATENCY = {
  count: "count",
  mean: "duration",
  p50: "duration",
  p90: "duration",
  p95: "duration",
  p99: "duration",
  p999: "duration",
  max: "duration",
} as const satisfies Kinds<LatencySummary>;

const CROSSING = { ...LATENCY, boundMs: "duration" } as const satisfies Kinds<CrossingSummary>;

/**
 * The figures that have a path: all numbers of a result that are measured, and none that the plan asks for, is listed
 * (phases, series), or goes both ways (the clock's offset), where a bound says nothing.
 */
const MEASURED = {
  durationMs: "duration",
  counts: {
    orchestrations: { started: "count", completed: "count", failed: "count", terminated: "count", unfinished: "count" },
    warmup: "count",
    activities: { needed: "count", completed: "count", reExecuted: "count" },
    actions: "count",
    actionsAtLeast: "count",
    rpcErrors: Object.fromEntries(GRPC_ERRORS.map((status): [string, FigureKind] => [status, "count"])),
  },
  throughput: {
    makespanMs: "duration",
    windowMs: "duration",
    orchestrationsPerSecond: "rate",
    activitiesPerSecond: "rate",
    actionsPerSecond: "rate",
  },
  latencyMs: {
    response: CROSSING,
    service: CROSSING,
    detectionLag: CROSSING,
    startRpc: LATENCY,
    slip: LATENCY,
    server: LATENCY,
  },
  generator: {
    heldBack: "count",
    slipMs: LATENCY,
    slipShare: { mean: "share", p50: "share", p90: "share", p95: "share", p99: "share", p999: "share" },
    slipGrowthMs: "duration",
    eventLoopDelayMs: LATENCY,
    clockJumpMs: "duration",
    cpu: { machine: "share", generator: "share" },
  },
  clock: { boundMs: "duration" },
  concurrency: { effective: "count" },
  recount: { instances: "count", lost: { total: "count" }, unexpected: { total: "count" } },
  failures: { total: "count" },
  stuck: { total: "count" },
  unanswered: { total: "count" },
  environment: { ownWorkers: "count", hub: { unfinished: "count", foreign: { unfinished: "count" } } },
} as const satisfies Kinds<RunResult>;

/** Fields that a result leaves out when they would be 0. */
const NONE_WHEN_ABSENT = /^(?:counts\.rpcErrors|failures|stuck|unanswered)\./u;

const PATHS = new Map(
  pathsOf(MEASURED).map(([path, kind]): [string, Figure] => [path, { kind, path, read: (result) => at(result, path) }]),
);

const STATISTICS = ["p50", "p90", "p95", "p99", "p999", "max", "mean"] as const;

/** Short names. A statistic alone is that of the response time: what a user who arrived on schedule feels. */
const ALIASES = new Map<string, Figure>([
  ...STATISTICS.map((statistic) => alias(statistic, `latencyMs.response.${statistic}`)),
  ...Object.keys(MEASURED.latencyMs).flatMap((latency) =>
    STATISTICS.map((statistic) => alias(`${latency} ${statistic}`, `latencyMs.${latency}.${statistic}`)),
  ),
  ["errors", { kind: "share", read: shareOfErrors }],
  alias("orchestrations/s", "throughput.orchestrationsPerSecond"),
  alias("activities/s", "throughput.activitiesPerSecond"),
  alias("actions/s", "throughput.actionsPerSecond"),
  alias("duration", "durationMs"),
  ["rpcErrors", { kind: "count", read: ({ counts }) => sumOf(counts.rpcErrors) }],
  ["noticing", { kind: "count", read: ({ noticing }) => noticing && sumOf(noticing) }],
  ["stalls", { kind: "count", read: (result) => stallsOf(result)?.length }],
  ["longest stall", { kind: "duration", read: longestStall }],
]);

/** Such as `p97.5`, `service p99.95` or `latencyMs.server.p75`: digits behind the point only where there is one. */
const PERCENTILE = /^(?:(?<latency>\w+) |latencyMs\.(?<ofPath>\w+)\.)?p(?<percent>[1-9]\d?(?:\.\d{1,3})?)$/u;

/** The figure of a short name or of a path, or any percentile of a latency; undefined if there is none. */
export function figureOf(name: string): Figure | undefined {
  return ALIASES.get(name) ?? PATHS.get(name) ?? percentileFigure(name);
}

/** Read from the histogram of the result, which the percentiles that a summary has no field for need. */
function percentileFigure(name: string): Figure | undefined {
  const { latency, ofPath, percent } = PERCENTILE.exec(name)?.groups ?? {};
  const of = latency ?? ofPath ?? "response";
  if (percent === undefined || !isLatency(of)) return undefined;
  const q = Number((Number(percent) / 100).toFixed(6));
  return {
    kind: "duration",
    path: `latencyMs.${of}.p${percent}`,
    read: (result) => percentileOf(result, of, q),
  };
}

function isLatency(name: string): name is keyof typeof MEASURED.latencyMs {
  return Object.hasOwn(MEASURED.latencyMs, name);
}

/** All that `figureOf` knows: short names first. */
export const FIGURE_NAMES: readonly string[] = [...ALIASES.keys(), ...PATHS.keys()];

function alias(name: string, path: string): [string, Figure] {
  const figure = PATHS.get(path);
  if (!figure) throw new Error(`Expected the alias ${name} to stand for a path of the result, found ${path}`);
  return [name, figure];
}

function pathsOf(tree: KindTree, prefix = ""): readonly (readonly [string, FigureKind])[] {
  return Object.entries(tree).flatMap(([key, kind]) =>
    typeof kind === "string" ? [[`${prefix}${key}`, kind] as const] : pathsOf(kind, `${prefix}${key}.`),
  );
}

function at(result: RunResult, path: string): number | undefined {
  let value: unknown = result;
  for (const key of path.split("."))
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;

  return typeof value === "number" ? value : NONE_WHEN_ABSENT.test(path) ? 0 : undefined;
}

function shareOfErrors({ counts: { orchestrations } }: RunResult): number | undefined {
  const { started, failed, terminated, unfinished } = orchestrations;
  return started === 0 ? undefined : (failed + terminated + unfinished) / started;
}

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** A run over time of which no stall is told had none. */
function stallsOf({ stalls, series }: RunResult): readonly Stall[] | undefined {
  return stalls ?? (series && []);
}

function longestStall(result: RunResult): number | undefined {
  return stallsOf(result)?.reduce((longest, { lengthMs }) => Math.max(longest, lengthMs), 0);
}
