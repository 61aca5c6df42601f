import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { percentileCurve, percentilePosition, percentileSteps } from "../../../src/report/html/percentile-curve.js";
import { LatencyHistogram } from "../../../src/stats/latency-histogram.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

/** A result of these response times, of whose starts some more did not end. */
function resultOf(durations: readonly number[], unended: { unfinished?: number; terminated?: number } = {}): RunResult {
  const histogram = new LatencyHistogram();
  for (const ms of durations) histogram.add(ms);
  const { unfinished = 0, terminated = 0 } = unended;
  const started = durations.length + unfinished + terminated;
  const orchestrations = { started, completed: durations.length, failed: 0, terminated, unfinished };
  return {
    ...sampleResult,
    counts: { ...sampleResult.counts, orchestrations },
    latencyMs: { response: histogram.summary((unfinished + terminated) / started)! },
    histograms: { response: histogram.encoded()! },
  };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe("a curve of percentiles", () => {
  test.each([
    [0.5, 500],
    [0.9, 900],
    [0.99, 990],
  ])("of 1,000 durations of 1 to 1,000 ms is at %d within a thousandth of %d ms", (q, ms) => {
    const found = percentileCurve(resultOf(upTo(1_000)), "response")!.at(q)!;
    expect(Math.abs(found - ms)).toBeLessThanOrEqual(ms / 1_000 + 1e-3);
  });

  test.each([
    ["ten samples lie beyond it", upTo(1_000), {}, 0.99, 0.9901],
    ["the unfinished cannot be below it", upTo(900), { unfinished: 100 }, 0.8999, 0.9],
    ["those terminated cannot be below it", upTo(900), { terminated: 100 }, 0.8999, 0.9],
  ])("goes as far as %s", (_what, durations, unended, last, beyond) => {
    const curve = percentileCurve(resultOf(durations, unended), "response")!;
    expect(curve.at(last)).toBeGreaterThan(0);
    expect(curve.at(beyond)).toBeUndefined();
  });

  test.each([
    ["19 samples", resultOf(upTo(19))],
    ["half unfinished", resultOf(upTo(100), { unfinished: 100 })],
    ["no histogram", sampleResult],
    ["no summary", { ...resultOf(upTo(100)), latencyMs: {} }],
    ["a histogram that is none", { ...resultOf(upTo(100)), histograms: { response: { hdr: "AAAA", count: 100 } } }],
  ])("does not exist for %s", (_what, result) => {
    expect(percentileCurve(result, "response")).toBeUndefined();
  });

  test("has exactly the percentiles of the summary, with the same values", () => {
    const durations = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 20, maxLength: 1_500 });
    fc.assert(
      fc.property(durations, fc.integer({ min: 0, max: 30 }), (durations, unfinished) => {
        const result = resultOf(durations, { unfinished });
        const { p50, p90, p99, p999 } = result.latencyMs.response!;
        const curve = percentileCurve(result, "response");
        expect([0.5, 0.9, 0.99, 0.999].map((q) => curve?.at(q))).toEqual([p50, p90, p99, p999]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the axis of percentiles", () => {
  test.each([
    [0, 0],
    [0.9, 1],
    [0.99, 2],
    [0.999, 3],
  ])("has %d at %d", (q, at) => {
    expect(percentilePosition(q)).toBeCloseTo(at, 10);
  });

  test("is walked in even steps from its start to the limit", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 0.999_999, noNaN: true }), (limit) => {
        const steps = percentileSteps(limit);
        const positions = steps.map(percentilePosition);
        expect(steps[0]).toBe(0);
        expect(steps.at(-1)).toBeCloseTo(limit, 9);
        const widths = positions.slice(1).map((position, index) => position - positions[index]!);
        expect(Math.max(...widths)).toBeLessThan(1 / 47);
        expect(Math.max(...widths) - Math.min(...widths)).toBeLessThan(1e-6);
      }),
    );
  });
});
