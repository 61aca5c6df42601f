import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { geometricMean, logRatioOf, pOfWithin, ratioInterval } from "../../../src/stats/log-ratio.js";

const near = fc.array(fc.double({ min: 0.98, max: 1.02, noNaN: true }), { minLength: 2, maxLength: 8 });
/** The fresh side is as noisy as the base, and nearly the same, about as far away as a noise of 5 %, or far off. */
const sides = fc
  .tuple(near, near, fc.constantFrom(0.5, 0.94, 1, 1.05, 1.06, 1.55))
  .map(([base, fresh, factor]) => [base, fresh.map((value) => value * factor)] as const);
const powers = (...exponents: readonly number[]): readonly number[] => exponents.map(Math.exp);

describe("the ratio of two sides", () => {
  test("has Welch's interval on the logarithms", () => {
    const logRatio = logRatioOf(powers(0, 0.02, 0.04), powers(0.2, 0.22, 0.24))!;
    // Variance 0.0004 on both sides: standard error sqrt(2 x 0.0004 / 3), 4 degrees of freedom, t = 2.7764451.
    expect(logRatio.difference).toBeCloseTo(0.2, 12);
    expect(logRatio.standardError).toBeCloseTo(0.016329932, 9);
    expect(logRatio.degreesOfFreedom).toBeCloseTo(4, 9);
    const [low, high] = ratioInterval(logRatio, 0.95);
    expect(low).toBeCloseTo(Math.exp(0.2 - 2.7764451 * 0.016329932), 7);
    expect(high).toBeCloseTo(Math.exp(0.2 + 2.7764451 * 0.016329932), 7);
  });

  test("uses the noise of each side", () => {
    const { standardError, degreesOfFreedom } = logRatioOf(powers(0, 0.02), powers(0, 0.1, 0.2, 0.3))!;
    // Variances 0.0002 and 0.05/3; over n: 0.0001 and 0.0125/3.
    const [before, after] = [0.0001, 0.0125 / 3];
    expect(standardError).toBeCloseTo(Math.sqrt(before + after), 12);
    expect(degreesOfFreedom).toBeCloseTo((before + after) ** 2 / (before ** 2 / 1 + after ** 2 / 3), 9);
  });

  test("is not known where a side has one run", () => {
    expect(logRatioOf([1], [1, 2, 3])).toBeUndefined();
    expect(logRatioOf([1, 2, 3], [1])).toBeUndefined();
  });

  test("is a point where no side has any noise", () => {
    const same = logRatioOf([4, 4], [4, 4, 4])!;
    expect([ratioInterval(same, 0.95), pOfWithin(same, 0.05), pOfWithin(same, 0)]).toEqual([[1, 1], 1, 1]);
    expect(same.degreesOfFreedom).toBe(3);
    const double = logRatioOf([4, 4], [8, 8])!;
    expect(ratioInterval(double, 0.95)).toEqual([2, 2].map((ratio) => expect.closeTo(ratio, 12)));
    expect(pOfWithin(double, 0.05)).toBe(0);
  });

  test("is 1 between equal figures, whatever their number", () => {
    const sizes = fc.integer({ min: 2, max: 20 });
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1e6, noNaN: true }), sizes, sizes, (value, before, after) => {
        const logRatio = logRatioOf(Array<number>(before).fill(value), Array<number>(after).fill(value))!;
        expect(pOfWithin(logRatio, 0)).toBe(1);
      }),
    );
  });

  test("is a number however wide the interval", () => {
    const wild = logRatioOf([1e-300, 1e300], [1e300, 1e-300])!;
    expect(ratioInterval(wild, 0.99)).toEqual([0, Number.MAX_VALUE]);
  });

  test("is beyond the noise by its p value exactly where it is by its interval", () => {
    const noises = fc.constantFrom(0, 0.05, 0.5);
    const confidences = fc.constantFrom(0.5, 0.95, 0.99);
    fc.assert(
      fc.property(sides, noises, confidences, ([base, fresh], noise, confidence) => {
        const logRatio = logRatioOf(base, fresh)!;
        const p = pOfWithin(logRatio, noise);
        const [low, high] = ratioInterval(logRatio, confidence);
        const beyond = low > 1 + noise || high < 1 / (1 + noise);
        // At the very bound the two computations round each in its own way.
        fc.pre(Math.abs(p - (1 - confidence)) > 1e-7);
        expect(p < 1 - confidence).toBe(beyond);
      }),
    );
  });

  test("is the inverse when the sides are swapped", () => {
    fc.assert(
      fc.property(sides, ([base, fresh]) => {
        const [there, back] = [logRatioOf(base, fresh)!, logRatioOf(fresh, base)!];
        expect(back).toEqual({ ...there, difference: expect.closeTo(-there.difference, 9) });
      }),
    );
  });
});

test("the geometric mean of two is the root of their product", () => {
  expect(geometricMean([2, 8])).toBeCloseTo(4, 12);
  expect(geometricMean([7])).toBeCloseTo(7, 12);
});
