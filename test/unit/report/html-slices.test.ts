import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coarseSlices, timeSlices } from "../../../src/report/html/time-slices.js";
import type { Interval, RunResult } from "../../../src/result/run-result.js";
import { SparseHistogram } from "../../../src/stats/sparse-histogram.js";
import { sampleResult } from "../../support/report/sample-result.js";

function latencyOf(durations: readonly number[]) {
  const histogram = new SparseHistogram();
  for (const ms of durations) histogram.add(ms);
  return { count: histogram.count, max: histogram.maxMs, buckets: histogram.buckets() };
}

/** Consecutive intervals of a second, of which the last may be shorter. */
function resultOf(counts: readonly number[], lastMs = 1_000): RunResult {
  const series = counts.map((count, index): Interval => {
    return {
      fromMs: index * 1_000,
      lengthMs: index === counts.length - 1 ? lastMs : 1_000,
      offered: 2 * count,
      started: count,
      completed: count,
      failed: 0,
      activities: 10 * count,
      inFlight: index,
      ...(count > 0 && { service: latencyOf(Array.from({ length: count }, () => index + 1)) }),
    };
  });
  return { ...sampleResult, series };
}

describe("the slices of a run over time", () => {
  test("are its intervals, as rates", () => {
    const [first, second] = timeSlices(resultOf([5, 7]));
    expect(first).toMatchObject({ offeredPerSecond: 10, startedPerSecond: 5, activitiesPerSecond: 50, inFlight: 0 });
    expect(second).toMatchObject({ fromMs: 1_000, lengthMs: 1_000, completedPerSecond: 7, latency: { max: 2 } });
  });

  test("take a last interval that is too short for a rate together with that before it", () => {
    const slices = timeSlices(resultOf([10, 10, 5], 10));
    expect(slices).toHaveLength(2);
    expect(slices[1]).toMatchObject({ fromMs: 1_000, lengthMs: 1_010, inFlight: 2, latency: { max: 3 } });
    expect(slices[1]?.completedPerSecond).toBeCloseTo(15 / 1.01);
    expect(timeSlices(resultOf([10, 10, 5], 500))).toHaveLength(3);
  });

  test("have no latency if nothing completed, and no activities if they are unknown", () => {
    expect(timeSlices(resultOf([0, 1]))[0]).not.toHaveProperty("latency");
    const { series } = resultOf([1, 1]);
    const unknown = series!.map(({ activities: _activities, actions: _actions, ...rest }) => rest);
    expect(timeSlices({ ...sampleResult, series: unknown })[0]).not.toHaveProperty("activitiesPerSecond");
  });

  test("are empty for a result without a series", () => {
    expect([timeSlices(sampleResult), coarseSlices(sampleResult, 30)]).toEqual([[], []]);
  });

  test("have percentiles of all their durations if there are enough", () => {
    const [slice] = coarseSlices(resultOf([500, 500]), 1);
    expect(slice?.latency?.p50).toBeCloseTo(1, 1);
    expect(slice?.latency?.p99).toBeCloseTo(2, 1);
    expect(coarseSlices(resultOf([15, 15]), 1)[0]?.latency).not.toHaveProperty("p99");
  });

  test("in a limited number of parts omit nothing", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        (counts, most) => {
          const slices = coarseSlices(resultOf(counts), most);
          expect(slices.length).toBeLessThanOrEqual(most);
          const all = slices.reduce((sum, slice) => sum + (slice.completedPerSecond * slice.lengthMs) / 1_000, 0);
          expect(all).toBeCloseTo(
            counts.reduce((sum, count) => sum + count, 0),
            6,
          );
          expect(slices.reduce((end, slice) => (slice.fromMs === end ? end + slice.lengthMs : Number.NaN), 0)).toBe(
            counts.length * 1_000,
          );
        },
      ),
    );
  });
});
