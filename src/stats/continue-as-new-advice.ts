import type { Growth, ResultPlan } from "../result/run-result.js";

/** A line through what an iteration takes by its number in its execution, microseconds. */
export interface GrowthLine {
  readonly slopeUs: number;
  /** The mean of all iterations. */
  readonly meanUs: number;
  /** That of the quickest group of neighbouring iterations. */
  readonly leastUs: number;
}

const MOST_TRIED = 100_000;

export type ContinueAsNewPlan = Pick<ResultPlan, "iterations" | "continueAsNewEvery">;

/**
 * The K for which `--continue-as-new-every K` makes an orchestration of N iterations quickest, and what it would save. By the
 * line a + b i of an iteration i, an execution of k iterations takes
 *
 *     k a + b k (k - 1) / 2
 *
 * and each but the last one also c + b k: the episode that ends it costs what an iteration has gained by then, and the next
 * execution is dispatched and executes its first episode (c). The N iterations cost N a in every way. `firstUs` is what the
 * first execution took for c. That may have been in a cold process, and c is less than an iteration, which has an episode and
 * its activities: so c is at most what the quickest iterations took.
 *
 * Undefined where nothing would be saved, or where it is not known how many iterations there are.
 */
export function continueAsNewAdvice(
  { slopeUs, meanUs, leastUs }: GrowthLine,
  firstUs: number,
  { iterations, continueAsNewEvery = iterations }: ContinueAsNewPlan,
): Growth["continueAsNew"] {
  if (iterations === undefined || continueAsNewEvery === undefined || slopeUs <= 0) return undefined;
  const restartUs = Math.min(firstUs, leastUs);
  const extraUs = (every: number): number => extraOf(iterations, Math.min(every, iterations), { slopeUs, restartUs });
  let best = continueAsNewEvery;
  for (let every = 1; every < Math.min(continueAsNewEvery, iterations, mostTried(slopeUs, restartUs)); every += 1)
    if (extraUs(every) < extraUs(best)) best = every;

  // Where the growth is no line, the line may be below all there is: no iteration is quicker than the quickest ones were.
  const savedUs = Math.min(extraUs(continueAsNewEvery) - extraUs(best), iterations * (meanUs - leastUs));
  if (savedUs <= 0) return undefined;
  return {
    every: best,
    savedMs: savedUs / 1_000,
    savedShare: savedUs / (iterations * meanUs),
    restartMs: restartUs / 1_000,
    actions: Math.ceil(iterations / best) - Math.ceil(iterations / continueAsNewEvery),
  };
}

/** Of many iterations the best K is sqrt(2 c / b). With few, a K that divides them may be better; of far larger ones none is. */
function mostTried(slopeUs: number, restartUs: number): number {
  return Math.min(MOST_TRIED, 10 + 4 * Math.sqrt((2 * restartUs) / slopeUs));
}

/** What N iterations take beyond N times the first one, with K in each execution. */
function extraOf(
  n: number,
  k: number,
  { slopeUs, restartUs }: { readonly slopeUs: number; readonly restartUs: number },
): number {
  const before = Math.ceil(n / k) - 1;
  const last = n - before * k;
  const growthUs = slopeUs * ((before * k * (k - 1) + last * (last - 1)) / 2);
  return growthUs + before * (restartUs + slopeUs * k);
}
