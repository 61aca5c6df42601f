import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { carries, censoredOf } from "../../result/stored-percentile.js";
import type { CrossingSummary, RunResult } from "../../result/run-result.js";

/** Points on the axis for each factor of ten. */
const POINTS_PER_DECADE = 48;

/** A latency by percentile, as far as its sample allows. */
export interface PercentileCurve {
  readonly summary: CrossingSummary;
  /** As a part of 1. No percentile beyond it is shown. */
  readonly limit: number;
  /** Milliseconds; undefined beyond the limit. */
  readonly at: (q: number) => number | undefined;
}

/**
 * The curve of a latency; undefined if its histogram is missing or unreadable, or has too few samples for a median. A
 * p_q exists only if n(1 - q) >= 10 and q < 1 - `censoredOf`, because those may be the longest.
 */
export function percentileCurve(result: RunResult, name: "response" | "service"): PercentileCurve | undefined {
  const summary = result.latencyMs[name];
  const encoded = result.histograms?.[name];
  const histogram = encoded && decoded(encoded.hdr);
  if (!summary || !histogram) return undefined;
  const censored = censoredOf(result.counts)[name];
  const isCarried = (q: number) => carries(histogram.totalCount, q, censored);
  if (!isCarried(0.5)) return undefined;
  return {
    summary,
    limit: Math.min(1 - 10 / histogram.totalCount, 1 - censored),
    at: (q) => (isCarried(q) ? Math.min(histogram.getValueAtPercentile(q * 100) / 1_000, summary.max) : undefined),
  };
}

/** The position of a part of 1 on the axis: log10(1 / (1 - q)), so that each further nine takes the same room. */
export function percentilePosition(q: number): number {
  return -Math.log10(1 - q);
}

/** Parts of 1, evenly spaced on the axis from 0 to the limit. */
export function percentileSteps(limit: number): readonly number[] {
  const end = percentilePosition(limit);
  const count = Math.max(1, Math.ceil(end * POINTS_PER_DECADE));
  return Array.from({ length: count + 1 }, (_, index) => 1 - 10 ** ((-end * index) / count));
}

/** A result may come from anywhere, so its histogram may be invalid. */
function decoded(hdr: string) {
  try {
    return decodeFromCompressedBase64(hdr, 32);
  } catch {
    return undefined;
  }
}
