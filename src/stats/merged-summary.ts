import type { LatencySummary } from "../result/run-result.js";

/** Of several samples, at least one: what summaries tell of all of them, which no percentile is. */
export function mergedSummary(all: readonly LatencySummary[]): LatencySummary {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
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
  const weights = all.reduce((sum, each) => sum + weight(each), 0);
  return weights === 0 ? 0 : all.reduce((sum, each) => sum + weight(each) * value(each), 0) / weights;
}
