import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import type { RunResult } from "./run-result.js";

/** Latencies that one whose end is not known may be the longest of. */
const CENSORED = new Set(["response", "service", "server", "detectionLag"]);

/**
 * Whether so many samples carry a percentile p_q: n(1 - q) >= 10, so that ten lie beyond it, and q < 1 - `censored`, the
 * share of those whose duration is not known and may be the longest.
 */
export function carries(count: number, q: number, censored: number): boolean {
  // 1 - 0.9 is a little less than 0.1 in binary: without the margin a sample of exactly 100 would lose its p90.
  return count * (1 - q) >= 10 - 1e-9 && q < 1 - censored;
}

/** The share of the started that a longer run might have shown to be the slowest: a terminated one was cut off too. */
export function censoredShare({ counts }: RunResult): number {
  const { started, terminated, unfinished } = counts.orchestrations;
  return started === 0 ? 0 : (unfinished + terminated) / started;
}

/** Milliseconds, from the histogram of that latency; undefined where there is none, or the sample does not carry it. */
export function percentileOf(result: RunResult, latency: keyof RunResult["latencyMs"], q: number): number | undefined {
  const encoded = result.histograms?.[latency];
  const max = result.latencyMs[latency]?.max;
  if (!encoded || max === undefined) return undefined;
  if (!carries(encoded.count, q, CENSORED.has(latency) ? censoredShare(result) : 0)) return undefined;
  return Math.min(decodeFromCompressedBase64(encoded.hdr).getValueAtPercentile(q * 100) / 1_000, max);
}
