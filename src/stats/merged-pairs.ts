import { MERGED_PHASES } from "../result/breakdown-schema.js";
import type { Breakdown, BreakdownPhase, PhaseTime } from "../result/run-result.js";
import { sumOf } from "./sums.js";

/**
 * Where the clocks of one shard do not tell two phases apart, they are one in all: a phase of some of the orchestrations is no
 * part of the time of all.
 */
export function withMergedPairs<T extends Pick<Breakdown, "phases">>(all: readonly T[]): readonly T[] {
  const pairs = Object.entries(MERGED_PHASES) as [BreakdownPhase, readonly BreakdownPhase[]][];
  return pairs
    .filter(([pair]) => all.some(({ phases }) => phases?.[pair]))
    .reduce((merged, [pair, of]) => merged.map((each) => asOne(each, pair, of)), all);
}

function asOne<T extends Pick<Breakdown, "phases">>(each: T, pair: BreakdownPhase, of: readonly BreakdownPhase[]): T {
  const { phases = {} } = each;
  const times = of.flatMap((phase) => phases[phase] ?? []);
  if (times.length === 0) return each;
  const others = Object.entries(phases).filter(([phase]) => !of.some((one) => one === phase));
  return { ...each, phases: { ...Object.fromEntries(others), [pair]: bothOf(times) } };
}

/** As one time, in which no other clock has a part. Its maximum is at most that of both together. */
function bothOf(times: readonly PhaseTime[]): PhaseTime {
  const count = Math.max(...times.map(({ each }) => each.count));
  return {
    meanMs: sumOf(times, ({ meanMs }) => meanMs),
    share: sumOf(times, ({ share }) => share),
    each: {
      count,
      mean: sumOf(times, ({ each }) => each.count * each.mean) / count,
      max: sumOf(times, ({ each }) => each.max),
    },
  };
}
