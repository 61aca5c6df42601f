import type { LatencySummary } from "../result/run-result.js";
import { sumOf } from "./sums.js";

/** Of several samples, at least one: what summaries tell of all of them, which no percentile is. */
export function mergedSummary(all: readonly LatencySummary[]): LatencySummary {
  return {
    count: sumOf(all, ({ count }) => count),
    mean: weighted(
      all,
      ({ count }) => count,
      ({ mean }) => mean,
    ),
    max: Math.max(...all.map(({ max }) => max)),
  };
}

/** The weighted mean; 0 without any weight. */
export function weighted<T>(all: readonly T[], weight: (each: T) => number, value: (each: T) => number): number {
  const weights = sumOf(all, weight);
  return weights === 0 ? 0 : sumOf(all, (each) => weight(each) * value(each)) / weights;
}
