import { UsageError } from "../errors.js";
import { formatCount } from "../format/count.js";
import { figureOf, nameInMix } from "../result/figure.js";
import { lengthOf } from "../result/load-shape.js";
import { comparisonIn, type Threshold } from "../stats/threshold.js";
import { foreignNames } from "../plan/orchestration-mix.js";
import type { LoadPlan } from "../plan/plan.js";
import { startsUpTo } from "./starts-up-to.js";

/** A percentile of a sample: of the measured starts, or of the successful ones among them. */
const PERCENTILE = /^(?:latencyMs\.\w+|generator\.slipMs)\.(?<name>p(?<digits>\d+(?:\.\d+)?))$/u;
const RESPONSE = /^latencyMs\.response\.(?<statistic>.+)$/u;
/** Figures that count activities, or derive from them. */
const OF_ACTIVITIES =
  /^(?:counts\.(?:activities\.|actions(?:AtLeast)?$)|throughput\.(?:activities|actions)PerSecond$)/u;
/** The number of samples that must lie beyond a percentile: see `stats/latency-histogram.ts`. */
const BEYOND = 10;
/** 1 - 0.9 is a little less than 0.1 in binary. */
const ROUNDING = 1e-6;
const SMALLER = ["p999", "p99", "p95", "p90", "p50"];

/**
 * Refuses thresholds that no run of the plan can pass, because the run cannot measure their figure. What depends on the
 * course of the run is judged at its end.
 * @throws UsageError that says why of each, and what to change
 */
export function refuseUncarried(thresholds: readonly Threshold[], plan: LoadPlan): void {
  const [first, ...more] = thresholds.flatMap((threshold) => {
    const objection = objectionTo(threshold, plan);
    if (objection === undefined) return [];
    const { problem, hint } = objection;
    return [new UsageError("unmeasurable-threshold", `--threshold '${threshold.expression}': ${problem}`, { hint })];
  });
  if (first) throw UsageError.all([first, ...more]);
}

interface Objection {
  readonly problem: string;
  /** What to change, in the plan or in the threshold. */
  readonly hint?: string;
}

function objectionTo(threshold: Threshold, plan: LoadPlan): Objection | undefined {
  const { expression, operator } = threshold;
  const { part } = threshold.figure;
  const figure = part?.figure ?? threshold.figure;
  const { path = "" } = figure;
  const comparison = comparisonIn(expression);
  const names = foreignNames(plan);
  const starts: Starts = { plan, orchestrator: part?.orchestrator };
  const { statistic } = RESPONSE.exec(path)?.groups ?? {};
  if (statistic !== undefined && plan.load.kind === "closed") {
    return {
      problem: "closed load has no response time, as its starts have no schedule",
      hint: `use ${quoted(starts, serviceOf(statistic), comparison)}`,
    };
  }
  if (names.length > 0 && OF_ACTIVITIES.test(path)) {
    return {
      problem: `the activities and actions of ${new Intl.ListFormat("en").format(names)} are not known`,
      hint: `use ${quoted(starts, "orchestrations/s", ">10")} or a latency`,
    };
  }
  if (path.startsWith("breakdown.") && plan.traceShare === 0)
    return { problem: "--trace-sample 0 traces no orchestration", hint: "leave it out, or trace a share such as 5%" };
  if (path === "throughput.windowMs" && lengthOf(plan) === undefined)
    return { problem: "only load that time bounds has a window" };
  if (path === "throughput.makespanMs" && lengthOf(plan) !== undefined)
    return { problem: "load that time bounds has no makespan" };
  if (path === "concurrency.effective" && plan.load.kind !== "closed")
    return { problem: "only closed load has a concurrency" };
  if (figure === figureOf("errors") && operator.startsWith("<")) return tooFewForErrors(threshold, comparison, starts);
  return tooFewForPercentile(path, expression, comparison, starts);
}

/** The starts that a threshold judges: all, or those of one orchestration. */
interface Starts {
  readonly plan: LoadPlan;
  readonly orchestrator: string | undefined;
}

/** The rule of three: see `stats/threshold.ts`. */
function tooFewForErrors({ bound }: Threshold, comparison: string, judged: Starts): Objection | undefined {
  const { plan } = judged;
  const needed = Math.ceil(3 / bound - ROUNDING);
  const starts = startsUpTo(needed, plan, judged);
  if (starts >= needed) return undefined;
  const carried = `${formatCount(Math.ceil(300 / Math.max(starts, 1)))}%`;
  const smaller = starts > 3 ? `${quoted(judged, "errors", comparison.replace(/[\d.,%]+$/u, carried))} or ` : "";
  return {
    problem: `a proof takes ${formatCount(needed)} orchestrations without an error, and the plan starts ${formatCount(starts)}`,
    hint: `${more(needed, judged)}, or use ${smaller}${quoted(judged, "counts.orchestrations.failed", "<1")}`,
  };
}

function tooFewForPercentile(
  path: string,
  expression: string,
  comparison: string,
  judged: Starts,
): Objection | undefined {
  const { plan } = judged;
  const { name = "", digits } = PERCENTILE.exec(path)?.groups ?? {};
  if (digits === undefined) return undefined;
  const needed = samplesFor(digits);
  const starts = startsUpTo(needed, plan, { ...judged, fromMs: plan.warmupMs ?? 0 });
  if (starts >= needed) return undefined;
  const instead = SMALLER.find((smaller) => samplesFor(smaller.slice(1)) <= starts) ?? "max";
  const written = expression.slice(0, expression.length - comparison.length - name.length) + instead;
  return {
    problem: `${name} takes ${formatCount(needed)} orchestrations, so that ten lie beyond it, and the plan measures ${formatCount(starts)}`,
    hint: `${more(needed, judged)}, or use '${written}${comparison}'`,
  };
}

/**
 * The number of samples with ten of them beyond the percentile: 1,000 for p99. `digits` are those of its name: 50, 999,
 * 97.5.
 */
function samplesFor(digits: string): number {
  const share = digits.length > 2 && !digits.includes(".") ? Number(`0.${digits}`) : Number(digits) / 100;
  return Math.ceil(BEYOND / (1 - share) - ROUNDING);
}

function more(needed: number, { plan, orchestrator }: Starts): string {
  const { load } = plan;
  if (orchestrator !== undefined) return `start more of ${orchestrator}`;
  if (load.kind === "once") return `start as many (--parallel-orchestrations ${formatCount(needed)})`;
  return load.kind === "closed" ? `start as many (--total ${formatCount(needed)})` : "start more, for longer";
}

function serviceOf(statistic: string): string {
  const short = `service ${statistic}`;
  return figureOf(short) ? short : `latencyMs.service.${statistic}`;
}

function quoted({ plan, orchestrator }: Starts, figure: string, comparison: string): string {
  const name = orchestrator === undefined ? figure : nameInMix(orchestrator, figure, foreignNames(plan));
  return `'${name}${comparison}'`;
}
