import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketOf, bucketRangeMs, SparseHistogram } from "../../../src/stats/sparse-histogram.js";

/** Doubles alone would nearly all lie at an end of their range. */
const durations = fc.oneof(
  fc.integer({ min: -3_000, max: 9_000 }).map((thousandths) => 10 ** (thousandths / 1_000)),
  fc.double({ min: 0, max: 0.1, noNaN: true }),
  fc.double({ min: 0, max: 1_000, noNaN: true }),
  fc.double({ min: 0, max: 30 * 24 * 3_600_000, noNaN: true }),
);
const samples = fc.array(durations, { maxLength: 300 });

function histogramOf(values: readonly number[]): SparseHistogram {
  const histogram = new SparseHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe("a bucket", () => {
  test.each([
    [0, 0],
    [0.001, 1],
    [0.063, 63],
    [0.064, 64],
    [0.065, 64],
    [0.066, 65],
    [0.127, 95],
    [0.128, 96],
    [0.131, 96],
    [0.132, 97],
    [1, 190],
    [1_000, 509],
    [3_600_000, 885],
    [4_294_967.295, 895],
    [4_294_967.296, 896],
  ])("of %d ms is number %d", (ms, bucket) => {
    expect(bucketOf(ms)).toBe(bucket);
  });

  test("has its duration in its range, which is at most 1/32 wide, or a microsecond", () => {
    fc.assert(
      fc.property(durations, (ms) => {
        const microseconds = Math.round(ms * 1_000);
        const { fromMs, toMs } = bucketRangeMs(bucketOf(ms));
        expect(Math.round(fromMs * 1_000)).toBeLessThanOrEqual(microseconds);
        expect(Math.round(toMs * 1_000)).toBeGreaterThanOrEqual(microseconds);
        expect(toMs - fromMs).toBeLessThanOrEqual(fromMs / 32);
      }),
    );
  });

  test("begins where the one before ends, a microsecond on", () => {
    for (let bucket = 1; bucket < 1_500; bucket += 1) {
      const fromMicroseconds = Math.round(bucketRangeMs(bucket).fromMs * 1_000);
      expect(fromMicroseconds - Math.round(bucketRangeMs(bucket - 1).toMs * 1_000)).toBe(1);
      expect(bucketOf(bucketRangeMs(bucket).fromMs)).toBe(bucket);
      expect(bucketOf(bucketRangeMs(bucket).toMs)).toBe(bucket);
    }
  });
});

describe("a sparse histogram", () => {
  test("lists each bucket that has a sample once, ascending, with how many it has", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const counts = new Map<number, number>();
        for (const value of values) counts.set(bucketOf(value), (counts.get(bucketOf(value)) ?? 0) + 1);
        expect(histogramOf(values).buckets()).toEqual([...counts].sort(([a], [b]) => a - b).flat());
      }),
    );
  });

  test("has count and maximum exactly, and quantiles within a bucket of the sorted sample", () => {
    fc.assert(
      fc.property(samples, fc.integer({ min: 0, max: 1_000 }), (values, thousandths) => {
        const q = thousandths / 1_000;
        const histogram = histogramOf(values);
        const sorted = [...values].sort((a, b) => a - b);
        expect(histogram.count).toBe(values.length);
        expect(histogram.maxMs).toBe(sorted.at(-1) ?? 0);
        const exact = sorted[Math.max(1, Math.ceil(q * values.length - 1e-9)) - 1] ?? 0;
        expect(histogram.quantile(q)).toBeLessThanOrEqual(histogram.maxMs);
        expect(histogram.quantile(q)).toBeGreaterThanOrEqual(Math.min(exact - 0.000_501, histogram.maxMs));
        expect(histogram.quantile(q)).toBeLessThanOrEqual(exact * 1.032 + 0.001);
      }),
    );
  });

  test("merged with another is the histogram of both samples, and leaves the other as it was", () => {
    fc.assert(
      fc.property(samples, samples, samples, (left, right, later) => {
        const merged = histogramOf(left);
        const other = histogramOf(right);
        merged.merge(other);
        for (const value of later) merged.add(value);
        const whole = histogramOf([...left, ...right, ...later]);
        expect(merged.buckets()).toEqual(whole.buckets());
        expect([merged.count, merged.maxMs]).toEqual([whole.count, whole.maxMs]);
        expect(other.buckets()).toEqual(histogramOf(right).buckets());
      }),
    );
  });

  test("comes back from its buckets, and can be added to", () => {
    fc.assert(
      fc.property(samples, samples, (values, later) => {
        const histogram = histogramOf(values);
        const back = SparseHistogram.fromBuckets(histogram.buckets(), histogram.maxMs);
        for (const value of later) {
          histogram.add(value);
          back.add(value);
        }
        expect(back.buckets()).toEqual(histogram.buckets());
        expect([back.count, back.maxMs]).toEqual([histogram.count, histogram.maxMs]);
      }),
    );
  });

  test("has the end of the last bucket as its maximum if the maximum is unknown", () => {
    expect(SparseHistogram.fromBuckets([10, 2, 64, 1]).maxMs).toBe(0.065);
    expect(SparseHistogram.fromBuckets([]).maxMs).toBe(0);
  });

  test("leaves out negative durations and values that are not numbers", () => {
    expect(histogramOf([-1, Number.NaN, 5]).buckets()).toEqual([bucketOf(5), 1]);
  });

  test.each([
    [19, 0.5, 0, false],
    [20, 0.5, 0, true],
    [100, 0.9, 0, true],
    [999, 0.99, 0, false],
    [1_000, 0.99, 0, true],
    [1_000, 0.99, 0.009, true],
    [1_000, 0.99, 0.011, false],
    [1_000, 0.5, 0.5, false],
  ])("of %d samples has the percentile of %d with %d censored: %s", (count, q, censored, isThere) => {
    const histogram = histogramOf(Array.from({ length: count }, (_, index) => index));
    expect(histogram.percentile(q, censored)).toBe(isThere ? histogram.quantile(q) : undefined);
  });
});
