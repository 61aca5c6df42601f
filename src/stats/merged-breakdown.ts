import { BREAKDOWN_PHASES } from "../result/breakdown-schema.js";
import type {
  Breakdown,
  BreakdownExample,
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
  const breakdown = breakdownOf(
    shards.flatMap(({ breakdown, tally }) => (breakdown ? [{ ...breakdown, tally: tally?.breakdown }] : [])),
  );
  const fanIn = fanInOf(shards.flatMap(({ fanIn }) => fanIn ?? []));
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

/** Of no phase where a shard does not tell its tallies: percentiles of a part are not those of all. */
function talliedPhases(all: readonly Tallied[]): TalliedPhases {
  const tallies = all.flatMap(({ phases, tally }) => (phases === undefined ? [] : [tally?.phases]));
  const known = tallies.filter((tally) => tally !== undefined);
  if (known.length < tallies.length) return {};
  const names = new Set(known.flatMap((tally) => Object.keys(tally)));
  const entries = [...names].map((name) => {
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

function fanInOf(all: readonly FanIn[]): FanIn | undefined {
  if (all.length === 0) return undefined;
  const mean = (of: (each: FanIn) => number) => weighted(all, ({ iterations }) => iterations, of);
  const stragglers = stragglersOf(all);
  return {
    iterations: sumOf(all, ({ iterations }) => iterations),
    iterationMs: mean(({ iterationMs }) => iterationMs),
    episodes: mean(({ episodes }) => episodes),
    ...(stragglers && { stragglers }),
  };
}

/** Each part only where all shards have it. */
function stragglersOf(all: readonly FanIn[]): Stragglers | undefined {
  const each = all.flatMap(({ iterations, stragglers }) => (stragglers ? [{ iterations, ...stragglers }] : []));
  if (each.length < all.length) return undefined;
  const mean = (of: (one: Stragglers) => number) => weighted(each, ({ iterations }) => iterations, of);
  const [lastMs, medianMs] = [mean((one) => one.lastMs), mean((one) => one.medianMs)];
  const execute = {
    longestMs: mean((one) => one.execute?.longestMs ?? 0),
    medianMs: mean((one) => one.execute?.medianMs ?? 0),
  };
  const haveShares = each.every(({ waitingShare }) => waitingShare !== undefined);
  const haveExecutions = each.every(({ execute }) => execute !== undefined);
  return {
    lastMs,
    medianMs,
    ...ratioOf(lastMs, medianMs),
    ...(haveShares && { waitingShare: mean(({ waitingShare = 0 }) => waitingShare) }),
    ...(haveExecutions && { execute: { ...execute, ...ratioOf(execute.longestMs, execute.medianMs) } }),
  };
}

function ratioOf(lastMs: number, medianMs: number): { readonly ratio?: number } {
  return medianMs > 0 ? { ratio: lastMs / medianMs } : {};
}
