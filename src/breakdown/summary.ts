import { carries } from "../result/stored-percentile.js";
import type { LatencySummary } from "../result/run-result.js";

const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;

/** Of microseconds, of which there is at least one, in milliseconds. Exact; a percentile is there where the sample carries it. */
export function summaryOf(us: readonly number[]): LatencySummary {
  const sorted = us.toSorted((a, b) => a - b);
  const at = (q: number): number => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]! / 1_000;
  const percentiles = Object.entries(QUANTILES).flatMap(([name, q]) =>
    carries(sorted.length, q, 0) ? [[name, at(q)] as const] : [],
  );
  const sum = sorted.reduce((total, one) => total + one, 0);
  return {
    count: sorted.length,
    mean: sum / sorted.length / 1_000,
    ...Object.fromEntries(percentiles),
    max: sorted.at(-1)! / 1_000,
  };
}
