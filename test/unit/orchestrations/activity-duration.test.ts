import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  drawDurationMs,
  type DrawPlace,
  type DurationDistribution,
} from "../../../src/orchestrations/activity-duration.js";

const place = fc.record({
  seed: fc.integer(),
  instanceId: fc.string(),
  iterationNumber: fc.nat(),
  activityNumber: fc.nat(),
});

/** Durations of 20,000 activities of one instance. */
function sample(distribution: DurationDistribution, seed: number): number[] {
  return Array.from({ length: 20_000 }, (_, index) =>
    drawDurationMs(distribution, {
      seed,
      instanceId: "r0-00001",
      iterationNumber: Math.floor(index / 100),
      activityNumber: index % 100,
    }),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("the duration of an activity", () => {
  test("is the same whenever it is drawn for the same place", () => {
    fc.assert(
      fc.property(place, (where) => {
        const distribution = { kind: "exponential", meanMs: 20 } as const;
        expect(drawDurationMs(distribution, { ...where })).toBe(drawDurationMs(distribution, where));
      }),
    );
  });

  test("is never negative, and lies in the bounds of a uniform one", () => {
    fc.assert(
      fc.property(place, (where) => {
        expect(drawDurationMs({ kind: "exponential", meanMs: 20 }, where)).toBeGreaterThanOrEqual(0);
        const uniform = drawDurationMs({ kind: "uniform", fromMs: 10, toMs: 90 }, where);
        expect(uniform >= 10 && uniform < 90).toBe(true);
      }),
    );
  });

  test.each<[string, DurationDistribution, number, number]>([
    ["constant", { kind: "constant", ms: 50 }, 50, 50],
    ["uniform", { kind: "uniform", fromMs: 10, toMs: 90 }, 50, 50],
    ["exponential", { kind: "exponential", meanMs: 50 }, 50, 50 * Math.LN2],
  ])("that is %s has the mean and the median of its distribution", (_, distribution, expectedMean, median) => {
    const values = sample(distribution, 7).toSorted((a, b) => a - b);
    // Three standard errors of the mean of 20,000 samples are 1.1 ms where the deviation is 50 ms.
    expect(Math.abs(mean(values) - expectedMean)).toBeLessThan(1.1);
    expect(Math.abs(values[values.length / 2]! - median)).toBeLessThan(1.5);
  });

  test.each<[string, Partial<DrawPlace>]>([
    ["seed", { seed: 8 }],
    ["instance", { instanceId: "r0-00002" }],
    ["iteration", { iterationNumber: 4 }],
    ["activity", { activityNumber: 6 }],
  ])("is another one for another %s", (_, other) => {
    const where = { seed: 7, instanceId: "r0-00001", iterationNumber: 3, activityNumber: 5 };
    const distribution = { kind: "uniform", fromMs: 0, toMs: 1 } as const;
    expect(drawDurationMs(distribution, { ...where, ...other })).not.toBe(drawDurationMs(distribution, where));
  });
});
