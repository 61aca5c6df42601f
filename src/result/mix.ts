import type { ResultPlan } from "./run-result.js";

/** The orchestrations that a run starts, each with its weight. */
export type Mix = NonNullable<ResultPlan["orchestrations"]>;

type Weighted = readonly { readonly weight: number }[];

/** The inverse of the golden ratio. */
const STEP = (Math.sqrt(5) - 1) / 2;
/** Other seeds give another order of the same shares. Its multiples are no multiples of the step. */
const SEED_STEP = Math.SQRT2 - 1;

/**
 * The place in the mix, from 0 on, of the orchestration that the start with this number in the whole run has: a function
 * of the number and the seed, so that shards together have the mix of the whole.
 *
 * The numbers frac(k x STEP) fill the interval from 0 to 1 evenly, and each weight owns a part of the interval. Random
 * draws would do that only on average: of 1,000 starts, 100 with a weight of 10 % would be 100 ± 19. A fixed pattern, such
 * as each tenth start, would give a shard, which has each n-th start, only one of the orchestrations. The step is the
 * number that is farthest from all fractions, so each n-th start has the shares too.
 * https://en.wikipedia.org/wiki/Low-discrepancy_sequence#Additive_recurrence
 */
export function placeInMix(mix: Weighted, sequence: number, seed = 0): number {
  const at = ((sequence * STEP + seed * SEED_STEP) % 1) * totalOf(mix);
  let end = 0;
  const place = mix.findIndex(({ weight }) => (end += weight) > at);
  // The sum of fractions may be a little less than the total.
  return place === -1 ? mix.length - 1 : place;
}

/** The share of each, as parts of 1. */
export function sharesOf(mix: Weighted): readonly number[] {
  const total = totalOf(mix);
  return mix.map(({ weight }) => weight / total);
}

function totalOf(mix: Weighted): number {
  return mix.reduce((sum, { weight }) => sum + weight, 0);
}
