import type { Growth, GrowthTally } from "../result/run-result.js";
import { continueAsNewAdvice, type ContinueAsNewPlan } from "./continue-as-new-advice.js";
import { LatencyHistogram } from "./latency-histogram.js";
import { studentTQuantile } from "./student-t.js";

const CONFIDENCE = 0.95;

/**
 * What an iteration takes, by its number in its execution. Of several orchestrations each has its own line, and the interval
 * is that of the mean of their slopes: iterations of one are not independent. Of a single one it is that of the line.
 */
export function growthOf(
  { lines, alone, groupSize, groups: tallied, firstEpisode }: GrowthTally,
  plan: ContinueAsNewPlan,
): Growth {
  const { count, meanSlopeUs: slopeUs, slopeSquares, meanUs } = lines;
  const halfWidth = alone
    ? alone.standardErrorUs * quantile(alone.degreesOfFreedom)
    : Math.sqrt(slopeSquares / (count - 1) / count) * quantile(count - 1);
  const groups = tallied.flatMap(({ count, sumUs }, index) =>
    count === 0 ? [] : [{ fromIteration: index * groupSize, iterations: groupSize, meanMs: sumUs / count / 1_000 }],
  );
  const leastUs = 1_000 * Math.min(...groups.map(({ meanMs }) => meanMs));
  const first = new LatencyHistogram();
  first.absorb(firstEpisode);
  const { typicalMs } = first;
  const isGrowth = slopeUs - halfWidth > 0;
  const continueAsNew =
    isGrowth && typicalMs !== undefined && continueAsNewAdvice({ slopeUs, meanUs, leastUs }, typicalMs * 1_000, plan);
  return {
    per100IterationsMs: per100(slopeUs),
    interval: { from: per100(slopeUs - halfWidth), to: per100(slopeUs + halfWidth) },
    groups,
    ...(continueAsNew && { continueAsNew }),
  };
}

/**
 * Of all shards. Undefined without any, and where their groups have different sizes: of somebody's own orchestration, whose
 * iterations the plan does not know.
 */
export function mergedGrowthTally(all: readonly GrowthTally[]): GrowthTally | undefined {
  const [first, ...rest] = all;
  if (first === undefined || rest.some(({ groupSize }) => groupSize !== first.groupSize)) return undefined;
  return rest.reduce(bothOf, first);
}

/** Means and squares as Chan, Golub and LeVeque do: see `LatencyDrift.absorb`. */
function bothOf(one: GrowthTally, other: GrowthTally): GrowthTally {
  const count = one.lines.count + other.lines.count;
  const share = other.lines.count / count;
  const apart = other.lines.meanSlopeUs - one.lines.meanSlopeUs;
  const firstEpisode = new LatencyHistogram();
  firstEpisode.absorb(one.firstEpisode);
  firstEpisode.absorb(other.firstEpisode);
  const [longer, shorter] = one.groups.length >= other.groups.length ? [one, other] : [other, one];
  return {
    lines: {
      count,
      meanSlopeUs: one.lines.meanSlopeUs + apart * share,
      slopeSquares: one.lines.slopeSquares + other.lines.slopeSquares + apart ** 2 * one.lines.count * share,
      meanUs: one.lines.meanUs + (other.lines.meanUs - one.lines.meanUs) * share,
    },
    groupSize: one.groupSize,
    groups: longer.groups.map(({ count, sumUs }, index) => {
      const { count: more = 0, sumUs: moreUs = 0 } = shorter.groups[index] ?? {};
      return { count: count + more, sumUs: sumUs + moreUs };
    }),
    firstEpisode: firstEpisode.tally(),
  };
}

/** Milliseconds in 100 iterations, of microseconds in one. */
function per100(us: number): number {
  return us / 10;
}

function quantile(degreesOfFreedom: number): number {
  return studentTQuantile((1 + CONFIDENCE) / 2, degreesOfFreedom);
}
