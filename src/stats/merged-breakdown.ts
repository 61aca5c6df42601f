import { BREAKDOWN_PHASES } from "../result/breakdown-schema.js";
import type {
  Breakdown,
  BreakdownExample,
  BreakdownPhase,
  BreakdownTally,
  FanIn,
  LatencySummary,
  PhaseTime,
  RunResult,
  Stragglers,
} from "../result/run-result.js";
import type { ContinueAsNewPlan } from "./continue-as-new-advice.js";
import type { Coordinated } from "./coordinated.js";
import { growthOf, mergedGrowthTally } from "./growth.js";
import { LatencyHistogram } from "./latency-histogram.js";
import { withMergedPairs } from "./merged-pairs.js";
import { mergedSummary, weighted } from "./merged-summary.js";
import { mergedWorkers } from "./merged-workers.js";
import { bothMoments, shareOf, withoutPhase } from "./share-moments.js";
import { sumOf } from "./sums.js";

type Part = Pick<RunResult, "breakdown" | "fanIn" | "workers">;
type Shard = Part & Pick<RunResult, "tally">;

/**
 * Where the time of all traced orchestrations went: the means of the shards, weighted by what they are means of, and of each
 * phase the percentiles and the interval, from the histograms and moments of all shards. `own` are the workers of the run
 * itself, which no shard knows.
 */
export function mergedBreakdown(
  shards: readonly Shard[],
  { plan, workers: own = [] }: Pick<Coordinated, "workers"> & { readonly plan: ContinueAsNewPlan },
): Part {
  const traced = shards.flatMap(({ breakdown, tally }) =>
    breakdown ? [{ ...breakdown, tally: tally?.breakdown }] : [],
  );
  const breakdown = breakdownOf(withMergedPairs(traced));
  const fanIn = fanInOf(shards);
  const workers = mergedWorkers([...shards.flatMap(({ workers = [] }) => workers), ...own]);
  const growth = mergedGrowthTally(shards.flatMap(({ tally }) => tally?.growth ?? []));
  return {
    ...(breakdown && { breakdown }),
    ...(fanIn && { fanIn: { ...fanIn, ...(growth && { growth: growthOf(growth, plan) }) } }),
    ...(workers.length > 0 && { workers }),
  };
}

type Tallied = Breakdown & { readonly tally: BreakdownTally | undefined };

/** Said where a shard has the phases, and not what their percentiles are merged from. */
const NO_HISTOGRAMS = "the percentiles and intervals of phases are not in the results of the shards";

function breakdownOf(all: readonly Tallied[]): Breakdown | undefined {
  if (all.length === 0) return undefined;
  const sum = (of: keyof Breakdown["orchestrations"]) => sumOf(all, ({ orchestrations }) => orchestrations[of]);
  const traced = sum("traced");
  const contradictory = sumOf(all, (each) => each.contradictory ?? 0);
  const isUntold = all.some(({ phases, tally }) => phases !== undefined && tally === undefined);
  const missing = new Set([...all.flatMap((each) => each.missing ?? []), ...(isUntold ? [NO_HISTOGRAMS] : [])]);
  const wholeMs = weighted(
    all,
    (each) => each.orchestrations.traced,
    (each) => each.wholeMs ?? 0,
  );
  return {
    orchestrations: {
      traced,
      completed: sum("completed"),
      failed: sum("failed"),
      terminated: sum("terminated"),
      unfinished: sum("unfinished"),
      retried: sum("retried"),
    },
    ...(traced > 0 && { wholeMs, phases: phasesOf(all, traced, wholeMs) }),
    ...examplesOf(all.flatMap(({ examples = [] }) => examples)),
    ...(contradictory > 0 && { contradictory }),
    ...(missing.size > 0 && { missing: [...missing].join(", ") }),
  };
}

/** The slowest of all, and of the shards' medians the one in the middle. */
function examplesOf(all: readonly BreakdownExample[]): Pick<Breakdown, "examples"> {
  const ascending = all.toSorted((a, b) => a.wholeMs - b.wholeMs);
  const medians = ascending.filter(({ rank }) => rank === "median");
  const median = medians[Math.floor((medians.length - 1) / 2)];
  const slowest = ascending.at(-1);
  if (median === undefined || slowest === undefined) return {};
  return { examples: [median, ...(slowest === median ? [] : [{ ...slowest, rank: "slowest" as const }])] };
}

function phasesOf(all: readonly Tallied[], traced: number, wholeMs: number): NonNullable<Breakdown["phases"]> {
  const tallied = talliedPhases(all);
  const entries = BREAKDOWN_PHASES.flatMap((name) => {
    const parts = all.flatMap(({ orchestrations, phases }) => {
      const time = phases?.[name];
      return time ? [{ time, weight: orchestrations.traced }] : [];
    });
    if (parts.length === 0) return [];
    const meanMs = sumOf(parts, ({ time, weight }) => time.meanMs * weight) / traced;
    const bounds = parts.flatMap(({ time }) => time.boundMs ?? []);
    const phase: PhaseTime = {
      meanMs,
      share: wholeMs > 0 ? meanMs / wholeMs : 0,
      ...tallied[name]?.share,
      each: { ...tallied[name]?.percentiles, ...mergedSummary(parts.map(({ time }) => time.each)) },
      ...(bounds.length > 0 && { boundMs: Math.max(...bounds) }),
    };
    return [[name, phase] as const];
  });
  return Object.fromEntries(entries);
}

interface TalliedPhase {
  readonly share: Pick<PhaseTime, "share" | "shareInterval">;
  readonly percentiles: Partial<LatencySummary>;
}

type TalliedPhases = Readonly<Record<string, TalliedPhase | undefined>>;

/**
 * Of no phase where a shard does not tell its tallies, and of none that a shard has and does not tell, such as two phases that
 * are one only beside those of another shard: percentiles of a part are not those of all.
 */
function talliedPhases(all: readonly Tallied[]): TalliedPhases {
  const tallies = all.flatMap(({ phases, tally }) => (phases === undefined ? [] : [tally?.phases]));
  const known = tallies.filter((tally) => tally !== undefined);
  if (known.length < tallies.length) return {};
  const isTold = (name: BreakdownPhase): boolean =>
    all.every(({ phases, tally }) => phases?.[name] === undefined || tally?.phases[name] !== undefined);
  const names = BREAKDOWN_PHASES.filter((name) => known.some((tally) => tally[name]) && isTold(name));
  const entries = names.map((name) => {
    const histogram = new LatencyHistogram();
    const moments = known.flatMap((tally) => {
      const { [name]: own } = tally;
      if (own) histogram.absorb(own.each);
      // A shard in which the phase did not occur has orchestrations without it.
      const [any] = Object.values(tally);
      return own ? [own.inEach] : any ? [withoutPhase(any.inEach)] : [];
    });
    return [name, { share: shareOf(moments.reduce(bothMoments)), percentiles: histogram.summary() ?? {} }] as const;
  });
  return Object.fromEntries(entries);
}

function fanInOf(shards: readonly Part[]): FanIn | undefined {
  const all = shards.flatMap(({ fanIn }) => fanIn ?? []);
  if (all.length === 0) return undefined;
  const mean = (of: (each: FanIn) => number) => weighted(all, ({ iterations }) => iterations, of);
  const stragglers = stragglersOf(all, waitingShareOf(shards));
  return {
    iterations: sumOf(all, ({ iterations }) => iterations),
    iterationMs: mean(({ iterationMs }) => iterationMs),
    episodes: mean(({ episodes }) => episodes),
    ...(stragglers && { stragglers }),
  };
}

/** A shard whose fan-outs have one activity has no part in them, nor has one without stamps in the executions. */
function stragglersOf(all: readonly FanIn[], waitingShare: number | undefined): Stragglers | undefined {
  const each = all.flatMap(({ iterations, stragglers }) => (stragglers ? [{ iterations, ...stragglers }] : []));
  if (each.length === 0) return undefined;
  const mean = (of: (one: Stragglers) => number) => weighted(each, ({ iterations }) => iterations, of);
  const [lastMs, medianMs] = [mean((one) => one.lastMs), mean((one) => one.medianMs)];
  const execute = executeOf(each);
  return {
    lastMs,
    medianMs,
    ...ratioOf(lastMs, medianMs),
    ...(waitingShare !== undefined && { waitingShare }),
    ...(execute && { execute }),
  };
}

function executeOf(all: readonly (Stragglers & Pick<FanIn, "iterations">)[]): Stragglers["execute"] | undefined {
  const each = all.flatMap(({ iterations, execute }) => (execute ? [{ iterations, ...execute }] : []));
  if (each.length === 0) return undefined;
  const mean = (of: (one: (typeof each)[number]) => number) => weighted(each, ({ iterations }) => iterations, of);
  const [longestMs, medianMs] = [mean((one) => one.longestMs), mean((one) => one.medianMs)];
  return { longestMs, medianMs, ...ratioOf(longestMs, medianMs) };
}

/** Of the times of all traced orchestrations, those included that had no fan-out to wait for. */
function waitingShareOf(shards: readonly Part[]): number | undefined {
  const each = shards.flatMap(({ breakdown, fanIn }) => {
    const wholeMs = wholeTimesMs(breakdown);
    const { waitingShare } = fanIn?.stragglers ?? { waitingShare: 0 };
    return breakdown || fanIn ? [{ wholeMs, waitingShare }] : [];
  });
  const known = each.flatMap(({ wholeMs, waitingShare }) => {
    return wholeMs === undefined || waitingShare === undefined ? [] : [{ wholeMs, waitingShare }];
  });
  if (known.length < each.length || known.every(({ wholeMs }) => wholeMs === 0)) return undefined;
  return weighted(
    known,
    ({ wholeMs }) => wholeMs,
    ({ waitingShare }) => waitingShare,
  );
}

/** The sum over all traced orchestrations. Of those that contradict their clocks, it takes the mean of the others. */
function wholeTimesMs({ orchestrations, contradictory = 0, wholeMs }: Partial<Breakdown> = {}): number | undefined {
  if (orchestrations === undefined) return undefined;
  const count = orchestrations.traced + contradictory;
  return count === 0 ? 0 : wholeMs && count * wholeMs;
}

function ratioOf(lastMs: number, medianMs: number): { readonly ratio?: number } {
  return medianMs > 0 ? { ratio: lastMs / medianMs } : {};
}
