import type { GrowthTally } from "../result/run-result.js";
import type { ContinueAsNewPlan } from "../stats/continue-as-new-advice.js";
import { LatencyHistogram } from "../stats/latency-histogram.js";
import { meanOf } from "../stats/mean.js";
import { firstEpisodeUs } from "./first-episode.js";
import { fanOutsOf, lengthOf, type FanOut } from "./fan-outs.js";
import type { TracedInstance } from "./traced-instance.js";

/** A line through fewer says nothing. */
const LEAST_ITERATIONS = 10;
/** Iterations are shown in at most so many groups. */
const MOST_GROUPS = 50;

/**
 * What the growth of iterations is computed from: the least-squares line of what an iteration took, by its number in its
 * execution, of each orchestration; and the mean of what neighbouring iterations took. Undefined without a line.
 */
export function growthTallyOf(
  instances: readonly TracedInstance[],
  plan: ContinueAsNewPlan = {},
): GrowthTally | undefined {
  const each = instances.map(({ history }) => fanOutsOf(history));
  const lines = each
    .filter((fanOuts) => fanOuts.length >= LEAST_ITERATIONS)
    .map((fanOuts) => lineOf(fanOuts.map(lengthOf)));
  const [first] = lines;
  if (!first) return undefined;
  const meanSlopeUs = meanOf(lines.map(({ slope }) => slope));
  const firstEpisode = new LatencyHistogram();
  for (const { history } of instances) {
    const us = firstEpisodeUs(history);
    if (us !== undefined) firstEpisode.add(us / 1_000);
  }
  return {
    lines: {
      count: lines.length,
      meanSlopeUs,
      slopeSquares: sum(lines, ({ slope }) => (slope - meanSlopeUs) ** 2),
      meanUs: meanOf(lines.map(({ mean }) => mean)),
    },
    ...(lines.length === 1 && {
      alone: { standardErrorUs: first.standardError, degreesOfFreedom: first.degreesOfFreedom },
    }),
    ...groupsOf(each, plan),
    firstEpisode: firstEpisode.tally(),
  };
}

interface Line {
  /** Microseconds for each further iteration. */
  readonly slope: number;
  readonly mean: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

function lineOf(lengthsUs: readonly number[]): Line {
  const n = lengthsUs.length;
  const middle = (n - 1) / 2;
  const mean = meanOf(lengthsUs);
  const squares = sum(lengthsUs, (_, index) => (index - middle) ** 2);
  const slope = sum(lengthsUs, (us, index) => (index - middle) * (us - mean)) / squares;
  const residuals = sum(lengthsUs, (us, index) => (us - mean - slope * (index - middle)) ** 2);
  return { slope, mean, standardError: Math.sqrt(residuals / (n - 2) / squares), degreesOfFreedom: n - 2 };
}

/** Of a known plan, all shards of a run have groups of one size. */
function groupsOf(
  each: readonly (readonly FanOut[])[],
  { iterations = Number.POSITIVE_INFINITY, continueAsNewEvery = iterations }: ContinueAsNewPlan,
): Pick<GrowthTally, "groupSize" | "groups"> {
  const longest = Math.max(...each.map(({ length }) => length));
  const planned = Math.min(iterations, continueAsNewEvery);
  const groupSize = Math.ceil((Number.isFinite(planned) ? planned : longest) / MOST_GROUPS);
  const groups = Array.from({ length: Math.ceil(longest / groupSize) }, (_, group) => {
    const members = each.flatMap((fanOuts) => fanOuts.slice(group * groupSize, (group + 1) * groupSize));
    return { count: members.length, sumUs: sum(members, lengthOf) };
  });
  return { groupSize, groups };
}

function sum<T>(values: readonly T[], of: (value: T, index: number) => number): number {
  return values.reduce((total, value, index) => total + of(value, index), 0);
}
