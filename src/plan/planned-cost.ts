import { costOf, type PlanCost } from "../result/plan-cost.js";
import { partOf } from "../result/shard.js";
import { arrivalCount } from "./arrivals.js";
import type { LoadPlan } from "./plan.js";

/** More random arrivals are not drawn in advance: it would take a second. */
const MOST_DRAWN = 2_000_000;
/** Fewer than one Poisson process in 10^14 has so many standard deviations more arrivals than its mean. */
const DEVIATIONS = 8;

/**
 * The cost of a plan. Random arrivals follow from the seed, so that they are counted. Of millions, `starts` is the mean and
 * `mostStarts` a bound.
 */
export function plannedCostOf(plan: LoadPlan): PlanCost {
  const cost = costOf(plan);
  const { starts } = cost;
  if (plan.load.kind !== "open" || plan.load.arrival === "constant" || starts === undefined) return cost;
  const { shard, ...whole } = plan;
  const mean = costOf(whole).starts ?? 0;
  if (mean > MOST_DRAWN) return { ...cost, mostStarts: partOf(mostArrivals(mean), shard) };

  const drawn = partOf(arrivalCount(whole), shard);
  return { ...cost, starts: drawn, mostStarts: drawn };
}

/** A bound of random arrivals of this mean. */
export function mostArrivals(mean: number): number {
  return Math.ceil(mean + DEVIATIONS * Math.sqrt(mean));
}
