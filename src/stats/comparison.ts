import { UsageError } from "../errors.js";
import { figureOf } from "./figure.js";
import { holm } from "./holm.js";
import { geometricMean, logRatioOf, pOfWithin, ratioInterval, type LogRatio } from "./log-ratio.js";
import { differencesOf, type Difference } from "./run-differences.js";
import type { RunResult } from "./run-result.js";
import { unusableRuns, type UnusableRun } from "./unusable-run.js";

/** Samples of which ten lie beyond the percentile. */
const SAMPLES = { p50: 20, p99: 1_000 } as const;

/** How two sets of runs compare: a plain JSON value. */
export interface Comparison {
  /** Of 1: a change within it is none. */
  readonly noiseThreshold: number;
  /** Of 1, for all findings together. */
  readonly confidence: number;
  /** Run ids, in the order given. */
  readonly runs: { readonly base: readonly string[]; readonly new: readonly string[] };
  /** What else differs between the runs, and may be the cause. */
  readonly differences: readonly Difference[];
  /** Runs whose figures nothing may be concluded from; where there is one, no figure is judged. */
  readonly unusable: readonly UnusableRun[];
  readonly figures: readonly ComparedFigure[];
  /** Figures that not all runs have. */
  readonly leftOut: readonly LeftOut[];
}

interface LeftOut {
  readonly figure: string;
  readonly reason: string;
}

export interface ComparedFigure {
  /** As a threshold names it, such as `response p50`. */
  readonly figure: string;
  /** Geometric means over the runs of a side, in the figure's unit: milliseconds or per second. */
  readonly base: number;
  readonly new: number;
  /** new / base */
  readonly ratio: number;
  /** Where the ratio lies; absent, like p, where it is not known or not judged. */
  readonly interval?: {
    readonly low: number;
    readonly high: number;
    /** By which the finding was made, so that all of them together have that of the comparison. */
    readonly confidence: number;
  };
  /** Of "the change is within the noise threshold", corrected for the number of figures. */
  readonly p?: number;
  readonly finding: Finding;
}

export type Finding = "slower" | "faster" | "no difference shown" | "run-to-run noise unknown" | "not judged";

export interface ComparisonOptions {
  /** Of 1 (default: 0.05). */
  readonly noiseThreshold?: number;
  /** Of 1 (default: 0.95). */
  readonly confidence?: number;
}

/**
 * Compares throughput, p50 and p99 of two sets of runs. The unit is the run, for what is measured within one is not
 * independent. A figure is slower or faster where the interval of its ratio (Welch, on logarithms, corrected by Holm)
 * lies wholly beyond the noise threshold.
 * @throws UsageError where a side is empty or a run is given twice
 */
export function compareRuns(
  base: readonly RunResult[],
  fresh: readonly RunResult[],
  { noiseThreshold = 0.05, confidence = 0.95 }: ComparisonOptions = {},
): Comparison {
  expectDistinct(base, fresh);
  const unusable = [...unusableRuns("base", base), ...unusableRuns("new", fresh)];
  const figures = figuresOf([...base, ...fresh]).map((figure) => sidesOf(figure, base, fresh));
  const whole = figures.filter((figure) => "base" in figure);
  return {
    noiseThreshold,
    confidence,
    runs: { base: base.map(({ runId }) => runId), new: fresh.map(({ runId }) => runId) },
    differences: differencesOf(base, fresh),
    unusable,
    figures: unusable.length > 0 ? whole.map(unjudged) : judged(whole, { noiseThreshold, confidence }),
    leftOut: figures.filter((figure) => "reason" in figure),
  };
}

/** A figure in each run of either side. */
interface Sides {
  readonly figure: string;
  readonly base: readonly number[];
  readonly new: readonly number[];
}

/** Given twice, a run would have no noise; on both sides, nothing would ever be slower. */
function expectDistinct(base: readonly RunResult[], fresh: readonly RunResult[]): void {
  if (base.length === 0 || fresh.length === 0) {
    throw new UsageError(`expected at least one run on each side, found ${base.length} and ${fresh.length}`);
  }
  const seen = new Set<string>();
  for (const { runId, startedAt } of [...base, ...fresh]) {
    const run = JSON.stringify([runId, startedAt]);
    if (seen.has(run)) throw new UsageError(`expected different runs, found ${runId} of ${startedAt} twice`);
    seen.add(run);
  }
}

/** Closed load has no schedule, and so no response time. */
function figuresOf(runs: readonly RunResult[]): readonly string[] {
  const countsActivities = runs.every(({ throughput }) => throughput?.activitiesPerSecond !== undefined);
  const latency = runs.some(({ plan }) => plan.load?.kind === "closed") ? "service" : "response";
  return [countsActivities ? "activities/s" : "orchestrations/s", `${latency} p50`, `${latency} p99`];
}

function sidesOf(figure: string, base: readonly RunResult[], fresh: readonly RunResult[]): Sides | LeftOut {
  const valueIn = (run: RunResult) => figureOf(figure)?.read(run);
  const values = [...base, ...fresh].map(valueIn);
  const absent = values.filter((value) => value === undefined).length;
  if (absent > 0) return { figure, reason: `${absent} of ${values.length} runs do not have it${sampleHint(figure)}` };
  // A ratio to it is none.
  const none = values.filter((value) => value === 0).length;
  if (none > 0) return { figure, reason: `it is 0 in ${none} of ${values.length} runs` };
  const known = values.filter((value) => value !== undefined);
  return { figure, base: known.slice(0, base.length), new: known.slice(base.length) };
}

function sampleHint(figure: string): string {
  const [, statistic] = Object.entries(SAMPLES).find(([name]) => figure.endsWith(name)) ?? [];
  return statistic === undefined ? "" : `, it takes ${statistic.toLocaleString("en-US")} samples`;
}

function unjudged(sides: Sides): ComparedFigure {
  return { ...meansOf(sides), finding: "not judged" };
}

function judged(figures: readonly Sides[], options: Required<ComparisonOptions>): readonly ComparedFigure[] {
  const { noiseThreshold, confidence } = options;
  const logRatios = figures.map((sides) => logRatioOf(sides.base, sides.new));
  const pValues = logRatios.map((logRatio) => (logRatio ? pOfWithin(logRatio, noiseThreshold) : 1));
  const tests = holm(pValues, 1 - confidence);
  return figures.map((sides, index): ComparedFigure => {
    const [logRatio, { adjusted, level }] = [logRatios[index], tests[index]!];
    if (!logRatio) return { ...meansOf(sides), finding: "run-to-run noise unknown" };
    const [low, high] = ratioInterval(logRatio, 1 - level);
    return {
      ...meansOf(sides),
      interval: { low, high, confidence: 1 - level },
      p: adjusted,
      finding: adjusted < 1 - confidence ? directionOf(sides.figure, logRatio) : "no difference shown",
    };
  });
}

function directionOf(figure: string, { difference }: LogRatio): Finding {
  const moreIsBetter = figureOf(figure)?.kind === "rate";
  return difference > 0 === moreIsBetter ? "faster" : "slower";
}

function meansOf(sides: Sides): Pick<ComparedFigure, "figure" | "base" | "new" | "ratio"> {
  const [base, after] = [geometricMean(sides.base), geometricMean(sides.new)];
  return { figure: sides.figure, base, new: after, ratio: after / base };
}
