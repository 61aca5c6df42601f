import { formatCount } from "../format/count.js";
import { UsageError } from "../errors.js";
import { caveatsOf } from "./caveat.js";
import { commonOrchestrations } from "./common-orchestrations.js";
import { figureOf, nameInMix } from "../result/figure.js";
import { holm } from "./holm.js";
import { geometricMean, logRatioOf, pOfWithin, ratioInterval, type LogRatio } from "./log-ratio.js";
import { movedPhasesOf } from "./moved-phases.js";
import { differencesOf } from "./run-differences.js";
import type {
  ComparedFigure,
  Comparison,
  Finding,
  LeftOutFigure,
  RunResult,
  SideNames,
  UnusableRun,
} from "../result/run-result.js";
import { objectionTo, unusableRuns } from "./unusable-run.js";

/** Sample sizes with ten samples beyond the percentile. */
const SAMPLES = { p50: 20, p99: 1_000 } as const;
/** Invalid runs are dropped if this many runs remain on each side. Fewer say too little about the noise. */
export const LEAST_LEFT = 3;

export interface ComparisonOptions {
  /** As a part of 1 (default: 0.05). */
  readonly noiseThreshold?: number;
  /** As a part of 1 (default: 0.95). */
  readonly confidence?: number;
  /** Judge invalid runs too (default: false). */
  readonly allowInvalid?: boolean;
}

/**
 * Compares throughput, p50 and p99 of two sets of runs, and of each orchestration that they mix. The unit is the run,
 * because measurements within a run are not independent. A figure is slower or faster if the interval of its ratio
 * (Welch, on logarithms, corrected by Holm) lies completely beyond the noise threshold. Invalid runs are dropped if three
 * or more runs remain on each side.
 * @throws UsageError if a side is empty or a run is given twice
 */
export function compareRuns(
  base: readonly RunResult[],
  fresh: readonly RunResult[],
  options: ComparisonOptions = {},
): Comparison {
  return compareCandidates(base, [{ runs: fresh }], options)[0]!;
}

/** The runs to compare with a base, and the names of both. */
export interface Candidate {
  readonly runs: readonly RunResult[];
  readonly names?: SideNames;
}

/**
 * Compares each of several sets of runs with one base, as `compareRuns` does. Holm's correction covers the figures of
 * all of them: the probability of a false finding does not grow with the number of candidates.
 * @throws UsageError if a side is empty or a run is given twice
 */
export function compareCandidates(
  base: readonly RunResult[],
  candidates: readonly Candidate[],
  { noiseThreshold = 0.05, confidence = 0.95, allowInvalid = false }: ComparisonOptions = {},
): readonly Comparison[] {
  expectDistinct(base, ...candidates.map(({ runs }) => runs));
  const compared = candidates.map(({ runs, names }) => {
    const chosen = chosenOf(base, runs, allowInvalid);
    const figures = comparedFigures([...chosen.base, ...chosen.new]).map((figure) =>
      sidesOf(figure, chosen.base, chosen.new),
    );
    return { names, chosen, whole: figures.filter((figure) => "base" in figure), figures };
  });
  const toJudge = compared.filter(({ chosen }) => chosen.unusable.length === 0).flatMap(({ whole }) => whole);
  const judgedFigures = new Map(judged(toJudge, { noiseThreshold, confidence }));
  return compared.map(({ names, chosen, whole, figures }) => ({
    noiseThreshold,
    confidence,
    ...(names && { names }),
    runs: { base: idsOf(chosen.base), new: idsOf(chosen.new) },
    caveats: caveatsOf(chosen.base, chosen.new),
    differences: differencesOf(chosen.base, chosen.new),
    dropped: chosen.dropped,
    unusable: chosen.unusable,
    figures: whole.map((sides) => judgedFigures.get(sides) ?? unjudged(sides)),
    ...movedIn(chosen),
    leftOut: figures.filter((figure) => "reason" in figure),
  }));
}

/** The runs of both sides that are compared, and the objections to the others. */
interface Chosen {
  readonly base: readonly RunResult[];
  readonly new: readonly RunResult[];
  readonly dropped: readonly UnusableRun[];
  readonly unusable: readonly UnusableRun[];
}

/** Runs with failed or lost work are never dropped, because dropping them could turn a failure into a pass. */
function chosenOf(base: readonly RunResult[], fresh: readonly RunResult[], allowInvalid: boolean): Chosen {
  const objections = [...unusableRuns("base", base, allowInvalid), ...unusableRuns("new", fresh, allowInvalid)];
  const isSound = (run: RunResult): boolean => objectionTo(run, allowInvalid) === undefined;
  const sound = { base: base.filter(isSound), new: fresh.filter(isSound) };
  const areDropped =
    objections.every(({ cause }) => cause === "invalid") && Math.min(sound.base.length, sound.new.length) >= LEAST_LEFT;
  return areDropped
    ? { ...sound, dropped: objections, unusable: [] }
    : { base, new: fresh, dropped: [], unusable: objections };
}

function movedIn({ base, new: fresh }: Chosen): Pick<Comparison, "movedPhases"> {
  const movedPhases = movedPhasesOf(base, fresh);
  return movedPhases ? { movedPhases } : {};
}

function idsOf(runs: readonly RunResult[]): readonly string[] {
  return runs.map(({ runId }) => runId);
}

/** The values of a figure in the runs of both sides. */
interface Sides {
  readonly figure: string;
  readonly base: readonly number[];
  readonly new: readonly number[];
}

/** A run that is given twice would have no noise. On both sides it would hide every slowdown. */
function expectDistinct(...sides: readonly (readonly RunResult[])[]): void {
  if (sides.some((runs) => runs.length === 0)) {
    const found = sides.map((runs) => runs.length).join(" and ");
    throw new UsageError("incomparable-runs", `expected at least one run on each side, found ${found}`);
  }
  const seen = new Set<string>();
  for (const { runId, startedAt } of sides.flat()) {
    const run = JSON.stringify([runId, startedAt]);
    if (seen.has(run))
      throw new UsageError("incomparable-runs", `expected different runs, found ${runId} of ${startedAt} twice`);
    seen.add(run);
  }
}

/** Closed load has no schedule, and therefore no response time. */
export function latencyOf(runs: readonly RunResult[]): "service" | "response" {
  return runs.some(({ plan }) => plan.load?.kind === "closed") ? "service" : "response";
}

/** The main figures of runs, in the notation of thresholds. */
export function figuresOf(runs: readonly RunResult[]): readonly string[] {
  const countsActivities = runs.every(({ throughput }) => throughput?.activitiesPerSecond !== undefined);
  const latency = latencyOf(runs);
  return [countsActivities ? "activities/s" : "orchestrations/s", `${latency} p50`, `${latency} p99`];
}

/** The main figures, and those of each orchestration that all runs have. */
function comparedFigures(runs: readonly RunResult[]): readonly string[] {
  const ofEach = ["orchestrations/s", `${latencyOf(runs)} p50`, `${latencyOf(runs)} p99`];
  const names = commonOrchestrations(runs);
  const named = names.flatMap((name) => ofEach.map((figure) => nameInMix(name, figure, names)));
  return [...figuresOf(runs), ...named];
}

function sidesOf(figure: string, base: readonly RunResult[], fresh: readonly RunResult[]): Sides | LeftOutFigure {
  const valueIn = (run: RunResult) => figureOf(figure)?.read(run);
  const values = [...base, ...fresh].map(valueIn);
  const absent = values.filter((value) => value === undefined).length;
  if (absent > 0) return { figure, reason: `${absent} of ${values.length} runs do not have it${sampleHint(figure)}` };
  // A ratio to 0 does not exist.
  const none = values.filter((value) => value === 0).length;
  if (none > 0) return { figure, reason: `it is 0 in ${none} of ${values.length} runs` };
  const known = values.filter((value) => value !== undefined);
  return { figure, base: known.slice(0, base.length), new: known.slice(base.length) };
}

function sampleHint(figure: string): string {
  const [, statistic] = Object.entries(SAMPLES).find(([name]) => figure.endsWith(name)) ?? [];
  return statistic === undefined ? "" : `, it takes ${formatCount(statistic)} samples`;
}

function unjudged(sides: Sides): ComparedFigure {
  return { ...meansOf(sides), finding: "not judged" };
}

function judged(
  figures: readonly Sides[],
  { noiseThreshold, confidence }: { readonly noiseThreshold: number; readonly confidence: number },
): readonly (readonly [Sides, ComparedFigure])[] {
  const logRatios = figures.map((sides) => logRatioOf(sides.base, sides.new));
  const pValues = logRatios.map((logRatio) => (logRatio ? pOfWithin(logRatio, noiseThreshold) : 1));
  const tests = holm(pValues, 1 - confidence);
  return figures.map((sides, index) => {
    const [logRatio, { adjusted, level }] = [logRatios[index], tests[index]!];
    if (!logRatio) return [sides, { ...meansOf(sides), finding: "run-to-run noise unknown" }];
    const [low, high] = ratioInterval(logRatio, 1 - level);
    const figure: ComparedFigure = {
      ...meansOf(sides),
      interval: { low, high, confidence: 1 - level },
      p: adjusted,
      finding: adjusted < 1 - confidence ? directionOf(sides.figure, logRatio) : "no difference shown",
    };
    return [sides, figure];
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
