import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BUCKET_BOUNDS_MS } from "../../../src/stats/latency-buckets.js";
import { LatencyHistogram } from "../../../src/stats/latency-histogram.js";

const samples = fc.array(fc.double({ min: 0, max: 3_600_000, noNaN: true }), { minLength: 1, maxLength: 2_000 });

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe("a latency summary", () => {
  test("is absent without a sample", () => {
    expect(new LatencyHistogram().summary()).toBeUndefined();
  });

  test("has count, mean and maximum of any sample, exactly", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const summary = histogramOf(values).summary()!;
        expect(summary.count).toBe(values.length);
        expect(summary.max).toBe(Math.max(...values));
        expect(summary.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 6);
      }),
    );
  });

  test("has percentiles within a thousandth, or two microseconds, of the sorted sample", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const summary = histogramOf(values).summary()!;
        for (const [name, q] of [
          ["p50", 0.5],
          ["p90", 0.9],
          ["p99", 0.99],
        ] as const) {
          const found = summary[name];
          if (found === undefined) continue;
          // The histogram takes the sample of this rank, up to the rounding of q * n.
          const near = [-1, 0, 1].map((by) => sorted[Math.ceil(q * values.length) - 1 + by] ?? Number.NaN);
          expect(near.some((exact) => Math.abs(found - exact) <= exact / 1_000 + 0.002)).toBe(true);
        }
      }),
    );
  });

  test.each([
    [1, 0, []],
    [19, 0, []],
    [20, 0, ["p50"]],
    [99, 0, ["p50"]],
    [100, 0, ["p50", "p90"]],
    [200, 0, ["p50", "p90", "p95"]],
    [1_000, 0, ["p50", "p90", "p95", "p99"]],
    [10_000, 0, ["p50", "p90", "p95", "p99", "p999"]],
    [10_000, 0.001, ["p50", "p90", "p95", "p99"]],
    [1_000, 0.05, ["p50", "p90"]],
    [1_000, 0.5, []],
  ])("of %d samples with %d censored shows %j", (count, censored, percentiles) => {
    const summary = histogramOf(Array.from({ length: count }, (_, index) => index)).summary(censored)!;
    expect(Object.keys(summary).filter((key) => key.startsWith("p"))).toEqual(percentiles);
  });

  test("leaves out negative durations, which a clock that was set back causes", () => {
    expect(histogramOf([-1, 5]).summary()).toMatchObject({ count: 1, max: 5 });
  });
});

describe("the buckets for monitoring", () => {
  test("are absent without a sample", () => {
    expect(new LatencyHistogram().buckets()).toBeUndefined();
  });

  test("count each duration once, and none below a bound that is longer by more than a microsecond", () => {
    fc.assert(
      fc.property(samples, (values) => {
        const { counts, count, sumMs, maxMs } = histogramOf(values).buckets()!;
        expect(count).toBe(values.length);
        expect(counts.reduce((sum, each) => sum + each, 0)).toBe(count);
        expect(maxMs).toBe(Math.max(...values));
        expect(sumMs).toBeCloseTo(
          values.reduce((sum, value) => sum + value, 0),
          3,
        );
        let upTo = 0;
        for (const [index, bound] of BUCKET_BOUNDS_MS.entries()) {
          upTo += counts[index]!;
          expect(upTo).toBeLessThanOrEqual(values.filter((value) => value <= bound + 0.001).length);
          expect(upTo).toBeGreaterThanOrEqual(values.filter((value) => value <= bound * 0.999 - 0.001).length);
        }
      }),
    );
  });
});
