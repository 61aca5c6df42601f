import { z } from "zod";
import { BREAKDOWN_PHASES } from "./breakdown-schema.js";
import { latencies } from "./latency-schema.js";
import { figureFields, type FigureKind } from "./measured-field.js";
import { resultOfOrchestration } from "./result-of-orchestration.js";
import { percentileOf } from "./stored-percentile.js";
import { resultSchema } from "./result-schema.js";
import type { RunResult, Stall } from "./run-result.js";

/** One number of a `RunResult`. */
export interface Figure {
  readonly kind: FigureKind;
  /** Where it stands in the result; absent where it is made of several. */
  readonly path?: string;
  /** Undefined where the run did not measure it. */
  readonly read: (result: RunResult) => number | undefined;
  /** Present if it is a figure of one orchestration of a mix. */
  readonly part?: { readonly orchestrator: string; readonly figure: Figure };
}

/** Fields that a result leaves out when they would be 0. */
const NONE_WHEN_ABSENT = /^(?:(?:counts\.rpcErrors|failures|stuck|unanswered)\.|counts\.unsent$)/u;

/** The figures that have a path, as the schema of a result says. What is in a list (phases, series) has none. */
const PATHS = new Map(
  pathsOf(resultSchema).map(([path, kind]): [string, Figure] => [
    path,
    { kind, path, read: (result) => at(result, path) },
  ]),
);

const STATISTICS = ["p50", "p90", "p95", "p99", "p999", "max", "mean"] as const;

/** Slip is a latency of the whole run too, which says more. */
const PHASE_NAMES = BREAKDOWN_PHASES.filter((phase) => !Object.hasOwn(latencies.shape, phase));

/** Short names. A statistic alone is that of the response time: what a user who arrived on schedule feels. */
const ALIASES = new Map<string, Figure>([
  ...STATISTICS.map((statistic) => alias(statistic, `latencyMs.response.${statistic}`)),
  ...Object.keys(latencies.shape).flatMap((latency) =>
    STATISTICS.map((statistic) => alias(`${latency} ${statistic}`, `latencyMs.${latency}.${statistic}`)),
  ),
  ...PHASE_NAMES.flatMap((phase) =>
    STATISTICS.map((statistic) => alias(`${phase} ${statistic}`, `breakdown.phases.${phase}.each.${statistic}`)),
  ),
  ...BREAKDOWN_PHASES.map((phase) => alias(`share.${phase}`, `breakdown.phases.${phase}.share`)),
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

/** The name of an orchestration in quotes, which are doubled within it. */
const QUOTED = /^"(?<orchestrator>(?:[^"]|"")+)" (?<figure>.+)$/u;

/** A name that an expression can have without quotes: words with one space between them. */
const PLAIN_NAME = /^[^\s<>="]+(?: [^\s<>="]+)*$/u;

/** What is measured of each orchestration of a mix. */
const OF_EACH =
  /^(?:latencyMs\.|counts\.orchestrations\.|counts\.(?:warmup|unsent)$|throughput\.orchestrationsPerSecond$)/u;

/**
 * The figure of a short name or of a path, or any percentile of a latency; with the name of an orchestration before it,
 * that of this one. Undefined if there is none.
 */
export function figureOf(name: string): Figure | undefined {
  return wholeFigureOf(name) ?? partFiguresOf(name)[0];
}

/** The same of the whole run only. */
function wholeFigureOf(name: string): Figure | undefined {
  return ALIASES.get(name) ?? PATHS.get(name) ?? percentileFigure(name);
}

/** The figures that `Order p99` may mean: several if a name has spaces. `"Order service" p99` means one. */
function partFiguresOf(name: string): readonly Figure[] {
  const { orchestrator, figure } = QUOTED.exec(name)?.groups ?? {};
  if (orchestrator !== undefined && figure !== undefined) return partFigure(orchestrator.replaceAll('""', '"'), figure);
  return [...name.matchAll(/ /gu)].flatMap(({ index }) => partFigure(name.slice(0, index), name.slice(index + 1)));
}

/** The figures of the run and of these orchestrations that a name means: several if one of them is called `service`. */
export function figuresIn(name: string, orchestrators: readonly string[]): readonly Figure[] {
  const whole = wholeFigureOf(name);
  const parts = partFiguresOf(name).filter(({ part }) => part && orchestrators.includes(part.orchestrator));
  return [...(whole ? [whole] : []), ...parts];
}

/** What a threshold calls a figure of one of these orchestrations: its name in quotes where it would mean another one too. */
export function nameInMix(orchestrator: string, figure: string, orchestrators: readonly string[]): string {
  const plain = `${orchestrator} ${figure}`;
  const isPlain = PLAIN_NAME.test(orchestrator) && figuresIn(plain, orchestrators).length <= 1;
  return isPlain ? plain : `"${orchestrator.replaceAll('"', '""')}" ${figure}`;
}

function partFigure(orchestrator: string, name: string): readonly Figure[] {
  const figure = wholeFigureOf(name);
  if (figure === undefined || !isOfEach(figure)) return [];
  const read = (result: RunResult) => figure.read(resultOfOrchestration(result, orchestrator));
  return [{ kind: figure.kind, read, part: { orchestrator, figure } }];
}

function isOfEach({ path, read }: Figure): boolean {
  return path === undefined ? read === shareOfErrors : OF_EACH.test(path);
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

function isLatency(name: string): name is keyof RunResult["latencyMs"] {
  return Object.hasOwn(latencies.shape, name);
}

/** All that `figureOf` knows: short names first. */
export const FIGURE_NAMES: readonly string[] = [...ALIASES.keys(), ...PATHS.keys()];

function alias(name: string, path: string): [string, Figure] {
  const figure = PATHS.get(path);
  if (!figure) throw new Error(`Expected the alias ${name} to stand for a path of the result, found ${path}`);
  return [name, figure];
}

function pathsOf(field: unknown, path = ""): readonly (readonly [path: string, kind: FigureKind])[] {
  if (field instanceof z.ZodExactOptional) return pathsOf(field.unwrap(), path);
  if (field instanceof z.ZodUnion) return field.options.flatMap((option) => pathsOf(option, path));
  const within = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (field instanceof z.ZodObject)
    return Object.entries(field.shape).flatMap(([name, part]) => pathsOf(part, within(name)));

  const figure = field instanceof z.ZodType ? figureFields.get(field) : undefined;
  if (!figure) return [];
  const paths = figure.names?.map(within) ?? [path];
  return paths.map((one) => [one, figure.kind]);
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
