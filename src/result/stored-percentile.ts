import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import type { RunResult } from "./run-result.js";

/** Latencies that may be the longest for an instance whose end is unknown. */
const CENSORED = new Set(["response", "service", "server", "detectionLag"]);

/**
 * Whether a sample supports a percentile p_q: n(1 - q) >= 10, so that ten samples lie beyond it, and q < 1 -
 * `censored`, the share of instances whose duration is unknown and may be the longest.
 */
export function carries(count: number, q: number, censored: number): boolean {
  // 1 - 0.9 is a little less than 0.1 in binary: without the margin a sample of exactly 100 would lose its p90.
  return count * (1 - q) >= 10 - 1e-9 && q < 1 - censored;
}

type Counts = Pick<RunResult["counts"], "orchestrations" | "measured">;

/** The starts that latencies are of, and those of them whose latency is not known. Old results count the warm-up too. */
export function measuredStartsOf({ orchestrations, measured }: Counts): {
  readonly started: number;
  readonly unknown: number;
} {
  const { lost = 0 } = measured ?? {};
  const { started, terminated, unfinished } = measured ?? orchestrations;
  return { started, unknown: terminated + unfinished + lost };
}

/**
 * The share of the starts that latencies are of which a longer run might have shown to be the slowest. Terminated ones were
 * cut off too.
 */
export function censoredShare({ counts }: { readonly counts: Counts }): number {
  const { started, unknown } = measuredStartsOf(counts);
  return started === 0 ? 0 : unknown / started;
}

/**
 * The percentile from the histogram of that latency, in milliseconds; undefined if there is none, or if the sample is
 * too small.
 */
export function percentileOf(result: RunResult, latency: keyof RunResult["latencyMs"], q: number): number | undefined {
  const encoded = result.histograms?.[latency];
  const max = result.latencyMs[latency]?.max;
  if (!encoded || max === undefined) return undefined;
  if (!carries(encoded.count, q, CENSORED.has(latency) ? censoredShare(result) : 0)) return undefined;
  return Math.min(decodeFromCompressedBase64(encoded.hdr).getValueAtPercentile(q * 100) / 1_000, max);
}
