import { formatCount, plural } from "../format/count.js";
import { oneLine } from "../format/one-line.js";
import { UsageError } from "../errors.js";
import { boundExpected, parseBound } from "./bound.js";
import { MERGED_PHASES } from "../result/breakdown-schema.js";
import { FIGURE_NAMES, figureOf, figuresIn, nameInMix, type Figure } from "../result/figure.js";
import type { FigureKind } from "../result/measured-field.js";
import { resultOfOrchestration } from "../result/result-of-orchestration.js";
import { measuredStartsOf } from "../result/stored-percentile.js";
import { isAboveForGood, isBelowForGood } from "./missed-for-good.js";
import { atLeast, soFarOfOrchestration, type ResultSoFar } from "./result-so-far.js";
import { nearest } from "./nearest.js";
import type { JudgedThreshold, RunResult } from "../result/run-result.js";

const HOLDS = {
  "<": (value: number, bound: number) => value < bound,
  "<=": (value: number, bound: number) => value <= bound,
  ">": (value: number, bound: number) => value > bound,
  ">=": (value: number, bound: number) => value >= bound,
} as const;

type Operator = keyof typeof HOLDS;

/** A requirement for a run, such as `p99<500ms`. */
export interface Threshold {
  /** As written, with normalized spaces. */
  readonly expression: string;
  readonly figure: Figure;
  readonly operator: Operator;
  /** In the unit of the figure's kind: milliseconds, a part of 1, per second, or a number. */
  readonly bound: number;
}

/** The name of an orchestration may be in quotes, within which any character may be. */
const EXPRESSION = /^(?<name>(?:"(?:[^"]|"")+" )?[^<>=]+?) ?(?<operator>[<>]=?) ?(?<bound>[^<>=]+)$/u;
const LATENCY_PATH = /^latencyMs\.(?<latency>\w+)\.(?<statistic>\w+(?:\.\d+)?)$/u;
/** Phases that are one where the clocks, or the worker, do not tell them apart. */
const PAIRS: Readonly<Record<string, readonly string[]>> = MERGED_PHASES;
const IN_ACTIVITY = new Set(["queue", "execute", "return"]);
/** Latencies that end with the orchestration. One that was cut off may have been the slowest. */
const UNTIL_COMPLETED = new Set(["response", "service", "server", "detectionLag"]);

/**
 * Reads `FIGURE OPERATOR BOUND`, the value of `--threshold`. The figure may be one of the orchestrations of `mix`, with its
 * name before it.
 * @throws UsageError that names the expression, what was expected and what was found
 */
export function parseThreshold(text: string, mix: Names = []): Threshold {
  return parseThresholdOf("--threshold", text, mix);
}

type Names = readonly { readonly orchestrator: string }[];

/** As `parseThreshold`, of another flag. */
export function parseThresholdOf(flag: string, text: string, mix: Names = []): Threshold {
  const wrong = (expression: string, expected: string, found: string, hint?: string): UsageError =>
    new UsageError("invalid-threshold", `${flag} '${expression}': expected ${expected}, found "${found}"`, { hint });
  const expression = text.trim().replaceAll(/"(?:[^"]|"")*"|\s+/gu, (part) => (part.startsWith('"') ? part : " "));
  const groups = EXPRESSION.exec(expression)?.groups;
  const { name = "", operator = "", bound: boundText = "" } = groups ?? {};
  if (!isOperator(operator))
    throw wrong(expression, "a figure, one of < <= > >= and a bound, in quotes, such as 'p99<500ms'", expression);

  const orchestrators = namesOf(mix);
  const [figure, other] = figuresIn(name, orchestrators);
  if (figure && other) {
    const [one, another] = [figure, other].map((each) => oneLine(unmistakable(each, name, orchestrators)));
    const hint = `the plan has two: '${one}' and '${another}'`;
    throw wrong(expression, "a name that only one figure has", name, hint);
  }
  if (!figure && mix.length > 0 && figureOf(name)) {
    const names = orchestrators.map((orchestrator) => oneLine(orchestrator)).join(", ");
    throw wrong(expression, `a figure, or one of an orchestration of the plan (${names})`, name);
  }
  if (!figure) {
    const meant = `did you mean ${nearest(name, FIGURE_NAMES) ?? "p99"}?`;
    const hint = figureOf(name) ? `${meant} Only a plan file with orchestrations has figures of each` : meant;
    throw wrong(expression, "a figure such as p99, errors, activities/s or latencyMs.server.p90", name, hint);
  }
  const bound = parseBound(boundText, figure.kind);
  if (bound === undefined) throw wrong(expression, boundExpected(figure.kind), boundText);
  if (bound === 0 && needsSample(figure.part?.figure ?? figure, operator)) {
    const hint = "no sample shows that there never are any: for none in this run use counts.orchestrations.failed<1";
    throw wrong(expression, "a share above 0", boundText, hint);
  }
  return { expression, figure, operator, bound };
}

function namesOf(mix: Names = []): readonly string[] {
  return mix.map(({ orchestrator }) => orchestrator);
}

/** The text in quotes after the name of an orchestration, or the path. */
function unmistakable({ path = "", part }: Figure, text: string, orchestrators: readonly string[]): string {
  if (!part) return path;
  const { orchestrator } = part;
  return nameInMix(orchestrator, text.slice(orchestrator.length + 1), orchestrators);
}

/** The kind of the figure in an expression; undefined if the expression cannot be read. */
export function kindOfThreshold(expression: string): FigureKind | undefined {
  return figureOf(EXPRESSION.exec(expression)?.groups?.["name"] ?? "")?.kind;
}

/** What follows the figure in an expression. */
export function comparisonIn(expression: string): string {
  return expression.slice(EXPRESSION.exec(expression)?.groups?.["name"]?.length ?? 0);
}

/** Compares the measured value with the bound. A threshold that cannot be judged is missed, with a reason. */
export function judge(threshold: Threshold, result: RunResult): JudgedThreshold {
  const { part } = threshold.figure;
  if (!part) return judgeWhole(threshold, result);
  const { orchestrator, figure } = part;
  return judgeWhole({ ...threshold, figure }, resultOfOrchestration(result, orchestrator), orchestrator);
}

/** `orchestrator` is the one of the mix that the result is of. */
function judgeWhole(threshold: Threshold, result: RunResult, orchestrator?: string): JudgedThreshold {
  const { expression, figure, operator, bound } = threshold;
  const value = figure.read(result);
  const missed = { expression, ...(value !== undefined && { value }), passed: false };
  if (result.interrupted) return { ...missed, reason: "not judged, the run was interrupted" };
  if (result.verdict?.status === "invalid") return { ...missed, reason: "not judged, the measurement is invalid" };
  if (value === undefined) {
    const least = leastOf(figure, result);
    if (least !== undefined && HOLDS[operator](least, bound) !== isUpper(operator))
      return { expression, value: least, passed: !isUpper(operator) };

    const reason = instead(threshold, result, orchestrator) ?? absence(figure, result);
    return { ...missed, reason: `not judged, ${reason}` };
  }
  if (!HOLDS[operator](value, bound)) return missed;
  const doubt = needsSample(figure, operator) ? smallSample(bound, result) : unseenTail(figure, result);
  return doubt === undefined ? { expression, value, passed: true } : { ...missed, reason: `not judged, ${doubt}` };
}

/**
 * Whether a run in progress, with the result so far, has missed a threshold in a way that more time is not expected to
 * repair. A threshold that only the end can decide, such as a lower bound on a count, is never missed early.
 */
export function isMissedForGood(threshold: Threshold, soFar: ResultSoFar): boolean {
  const { figure, operator, bound } = threshold;
  const { part } = figure;
  if (part)
    return isMissedForGood({ ...threshold, figure: part.figure }, soFarOfOrchestration(soFar, part.orchestrator));
  const result = isUpper(operator) ? atLeast(soFar) : soFar;
  const value = figure.read(result) ?? leastOf(figure, result);
  if (value === undefined || HOLDS[operator](value, bound)) return false;
  return isUpper(operator) ? isAboveForGood(figure, bound, result) : isBelowForGood(figure, bound, result);
}

/** The lower bound of a count that could not be counted completely. If it exceeds a bound, so does the count. */
function leastOf({ path }: Figure, { counts }: RunResult): number | undefined {
  return path === "counts.actions" ? counts.actionsAtLeast : undefined;
}

function isOperator(text: string): text is Operator {
  return Object.hasOwn(HOLDS, text);
}

function needsSample(figure: Figure, operator: Operator): boolean {
  return figure === figureOf("errors") && isUpper(operator);
}

function isUpper(operator: Operator): boolean {
  return operator === "<" || operator === "<=";
}

/** The alternative for closed load, which has no schedule and therefore no response time. */
function instead(
  { expression, figure }: Threshold,
  { plan }: RunResult,
  orchestrator: string | undefined,
): string | undefined {
  const { path = "" } = figure;
  const { latency, statistic = "" } = LATENCY_PATH.exec(path)?.groups ?? {};
  if (plan.load?.kind !== "closed" || latency !== "response") return undefined;
  const short = `service ${statistic}`;
  const name = figureOf(short) ? short : `latencyMs.service.${statistic}`;
  const used = orchestrator === undefined ? name : nameInMix(orchestrator, name, namesOf(plan.orchestrations));
  return `closed load has no response time: use '${used}${comparisonIn(expression)}'`;
}

/**
 * The rule of three: after n successes without a failure, the failure rate is below 3/n with a confidence of 95 %.
 * https://en.wikipedia.org/wiki/Rule_of_three_(statistics)
 */
function smallSample(bound: number, { counts }: RunResult): string | undefined {
  const { started } = counts.orchestrations;
  // 3 / 0.0192 % is a little more than 15,625 in binary.
  const needed = Math.ceil(3 / bound - 1e-9);
  if (started >= needed) return undefined;
  return `it takes ${formatCount(needed)} orchestrations, not ${formatCount(started)}`;
}

/**
 * Percentiles that may include instances that were cut off are absent. Mean and maximum exist, of the completed ones.
 */
function unseenTail({ path = "" }: Figure, result: RunResult): string | undefined {
  const { latency = "", statistic = "" } = LATENCY_PATH.exec(path)?.groups ?? {};
  const cutOff = cutOffText(latency, result);
  const affected = UNTIL_COMPLETED.has(latency) && (statistic === "mean" || statistic === "max");
  return affected && cutOff !== undefined ? `${cutOff}, which may be the slowest` : undefined;
}

function absence({ path = "" }: Figure, result: RunResult): string {
  const { latency = "", statistic = "" } = LATENCY_PATH.exec(path)?.groups ?? {};
  const { started, completed } = result.counts.orchestrations;
  if (path.startsWith("recount.") && result.recount && "unknown" in result.recount)
    return `the instances were not counted again: ${result.recount.unknown}`;

  const { actionsAtLeast, actionsMissing } = result.counts;
  if (path === "counts.actions" && actionsAtLeast !== undefined)
    return `there were ${formatCount(actionsAtLeast)} at least${actionsMissing === undefined ? "" : `: ${actionsMissing}`}`;

  if (path === "throughput.actionsPerSecond" && result.throughput?.activitiesPerSecond !== undefined)
    return "how many actions fell into its time is not known where work failed or was tried again";

  if (path.startsWith("breakdown.")) return phaseAbsence(path, result.breakdown);

  const samples = figureOf(`latencyMs.${latency}.count`)?.read(result);
  if (samples !== undefined && statistic !== "boundMs") {
    const cutOff = UNTIL_COMPLETED.has(latency) ? cutOffText(latency, result) : undefined;
    const few = samples === 1 ? "1 sample does" : `${formatCount(samples)} samples do`;
    return `${few} not carry it${cutOff === undefined ? "" : ` ${cutOff}`}`;
  }
  if (started === 0) return "no orchestration was started";
  return completed === 0 ? "no orchestration completed" : "it was not measured";
}

function phaseAbsence(path: string, breakdown: RunResult["breakdown"]): string {
  if (!breakdown) return "no orchestration was traced";
  const { phases } = breakdown;
  if (!phases) return breakdown.missing ?? "no traced orchestration could be broken down";
  const name = path.split(".")[2] ?? "";
  const samples = figureOf(`breakdown.phases.${name}.each.count`)?.read({ breakdown } as RunResult);
  if (samples !== undefined) return `${plural(samples, "sample")} ${samples === 1 ? "does" : "do"} not carry it`;
  const together = Object.keys(phases).find((pair) => PAIRS[pair]?.includes(name));
  if (together !== undefined) return `the clocks are known too loosely: use ${together}`;
  return phases.activity && IN_ACTIVITY.has(name)
    ? "the worker does not stamp: use activity"
    : "the phase did not occur";
}

function cutOffText(latency: string, { counts }: RunResult): string | undefined {
  const { started, unknown } = measuredStartsOf(counts, latency);
  if (unknown === 0) return undefined;
  const how = latency === "response" && counts.unsent !== undefined ? "cut off or never sent" : "cut off";
  return `with ${formatCount(unknown)} of ${formatCount(started)} orchestrations ${how}`;
}
