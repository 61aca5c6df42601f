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

type Counts = Pick<RunResult["counts"], "orchestrations" | "measured" | "unsent">;

interface Known {
  readonly started: number;
  /** Those of them whose latency is not known. */
  readonly unknown: number;
}

/**
 * The starts that a latency is of. Terminated ones were cut off too. Response time counts from when a start was due, so
 * those that were due and never sent belong to it. Old results count the warm-up too.
 */
export function measuredStartsOf({ orchestrations, measured, unsent }: Counts, latency: string): Known {
  const { lost = 0 } = measured ?? {};
  const { started, terminated, unfinished } = measured ?? orchestrations;
  const due = latency === "response" ? ((measured ? measured.unsent : unsent) ?? 0) : 0;
  return { started: started + due, unknown: terminated + unfinished + lost + due };
}

/** The shares of the starts that latencies are of which a longer run might have shown to be the slowest. */
export interface Censored {
  readonly response: number;
  /** Of all others that last until the completion. */
  readonly service: number;
}

export function censoredOf(counts: Counts): Censored {
  return {
    response: shareOf(measuredStartsOf(counts, "response")),
    service: shareOf(measuredStartsOf(counts, "service")),
  };
}

function shareOf({ started, unknown }: Known): number {
  return started === 0 ? 0 : unknown / started;
}

function censoredShare(latency: keyof RunResult["latencyMs"], censored: Censored): number {
  if (latency === "response") return censored.response;
  return CENSORED.has(latency) ? censored.service : 0;
}

/**
 * The percentile from the histogram of that latency, in milliseconds; undefined if there is none, or if the sample is
 * too small.
 */
export function percentileOf(result: RunResult, latency: keyof RunResult["latencyMs"], q: number): number | undefined {
  const encoded = result.histograms?.[latency];
  const max = result.latencyMs[latency]?.max;
  if (!encoded || max === undefined) return undefined;
  if (!carries(encoded.count, q, censoredShare(latency, censoredOf(result.counts)))) return undefined;
  return Math.min(decodeFromCompressedBase64(encoded.hdr).getValueAtPercentile(q * 100) / 1_000, max);
}
