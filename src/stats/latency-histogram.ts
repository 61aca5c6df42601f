import {
  Int32Histogram,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";
import { carries } from "../result/stored-percentile.js";
import type { DurationTally, EncodedHistogram, LatencySummary } from "../result/run-result.js";
import { BUCKET_BOUNDS_MS, type LatencyBuckets } from "./latency-buckets.js";

const LOWEST = 1;
const FIRST_HIGHEST = 2;
const SIGNIFICANT_DIGITS = 3;
const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;

/** The tally of no duration. */
export const NOTHING: DurationTally = { count: 0, sumMs: 0, maxMs: 0 };

/**
 * A histogram of durations with three significant digits of a microsecond, in constant memory. Count, mean and maximum
 * are exact. Its inputs and outputs are milliseconds.
 */
export class LatencyHistogram {
  readonly #microseconds = new Int32Histogram(LOWEST, FIRST_HIGHEST, SIGNIFICANT_DIGITS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  constructor() {
    this.#microseconds.autoResize = true;
  }

  /** A negative duration means that the clock was set back during the measurement. It is left out. */
  add(ms: number): void {
    if (!(ms >= 0)) return;
    this.#microseconds.recordValue(Math.round(ms * 1_000));
    this.#count += 1;
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** Everything that was added, for `absorb` in another process. */
  tally(): DurationTally {
    const encoded = this.encoded();
    return { ...(encoded && { hdr: encoded.hdr }), count: this.#count, sumMs: this.#sumMs, maxMs: this.#maxMs };
  }

  /** Adds everything of another histogram. */
  absorb({ hdr, count, sumMs, maxMs }: DurationTally): void {
    const microseconds: Histogram = this.#microseconds;
    if (hdr !== undefined) microseconds.add(decodeFromCompressedBase64(hdr));
    this.#count += count;
    this.#sumMs += sumMs;
    this.#maxMs = Math.max(this.#maxMs, maxMs);
  }

  get count(): number {
    return this.#count;
  }

  /** The median, or the mean if the sample is too small for it; undefined without a sample. */
  get typicalMs(): number | undefined {
    const summary = this.summary();
    return summary?.p50 ?? summary?.mean;
  }

  get meanMs(): number | undefined {
    return this.#count === 0 ? undefined : this.#sumMs / this.#count;
  }

  /** Undefined without a sample. */
  encoded(): EncodedHistogram | undefined {
    return this.#count === 0 ? undefined : { hdr: encodeIntoCompressedBase64(this.#microseconds), count: this.#count };
  }

  /**
   * Undefined without a sample. Counts, sum and maximum are exact. A duration up to 0.1 % below a bound may count in the
   * bucket above it.
   */
  buckets(): LatencyBuckets | undefined {
    if (this.#count === 0) return undefined;
    const values = this.#microseconds;
    const counts = Array.from({ length: BUCKET_BOUNDS_MS.length + 1 }, () => 0);
    let index = 0;
    for (const [bucket, boundMs] of [...BUCKET_BOUNDS_MS, Number.POSITIVE_INFINITY].entries()) {
      // The first of the values that the histogram tells apart which may be beyond the bound.
      const beyond = boundMs > this.#maxMs ? values.countsArrayLength : values.countsArrayIndex(boundMs * 1_000 + 1);
      for (; index < beyond; index += 1) counts[bucket]! += values.getCountAtIndex(index);
    }
    return { counts, count: this.#count, sumMs: this.#sumMs, maxMs: this.#maxMs };
  }

  /**
   * Undefined without a sample. A percentile is present only if the sample is large enough. `censored` is the share of
   * instances whose duration is unknown and may be the longest.
   */
  summary(censored = 0): LatencySummary | undefined {
    if (this.#count === 0) return undefined;
    const percentiles = Object.entries(QUANTILES).flatMap(([name, q]) =>
      carries(this.#count, q, censored) ? [[name, this.#valueAt(q)] as const] : [],
    );
    return {
      count: this.#count,
      mean: this.#sumMs / this.#count,
      ...Object.fromEntries(percentiles),
      max: this.#maxMs,
    };
  }

  #valueAt(q: number): number {
    // The histogram returns the upper end of a bucket, which may lie beyond the largest sample.
    return Math.min(this.#microseconds.getValueAtPercentile(q * 100) / 1_000, this.#maxMs);
  }
}
