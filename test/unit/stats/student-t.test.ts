import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { studentTCdf, studentTQuantile } from "../../../src/stats/student-t.js";

const degrees = fc.double({ min: 1, max: 5_000, noNaN: true });

describe("the quantile of Student's t", () => {
  /** The common table, such as https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm, with more digits. */
  test.each([
    [1, 0.975, 12.7062047],
    [1, 0.995, 63.6567412],
    [2, 0.9, 1.8856181],
    [2, 0.975, 4.3026527],
    [3, 0.95, 2.3533634],
    [4, 0.975, 2.7764451],
    [4, 0.995, 4.6040949],
    [5, 0.975, 2.5705818],
    [8, 0.975, 2.3060041],
    [8, 0.995, 3.3553873],
    [10, 0.999, 4.1437005],
    [30, 0.975, 2.0422725],
    [120, 0.975, 1.9799304],
  ])("with %f degrees of freedom and %f is %f", (df, probability, quantile) => {
    expect(Math.abs(studentTQuantile(probability, df) - quantile)).toBeLessThan(1e-6);
  });

  test("nears that of the normal distribution", () => {
    expect(studentTQuantile(0.975, 1e8)).toBeCloseTo(1.959964, 6);
  });

  test("is what its probability says, from far in one tail to far in the other", () => {
    fc.assert(
      fc.property(degrees, fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }), (df, probability) => {
        const found = studentTCdf(studentTQuantile(probability, df), df);
        expect(Math.abs(found - probability)).toBeLessThan(1e-9);
      }),
    );
  });

  test.each([0, 1, -0.1, 1.1, Number.NaN])("of %f is refused", (probability) => {
    expect(() => studentTQuantile(probability, 5)).toThrow(RangeError);
  });
});

describe("the distribution function of Student's t", () => {
  /** Where it has a closed form: https://en.wikipedia.org/wiki/Student's_t-distribution#Special_cases */
  test.each([
    [1, (t: number) => 0.5 + Math.atan(t) / Math.PI],
    [2, (t: number) => 0.5 + t / (2 * Math.sqrt(2 + t * t))],
    [3, (t: number) => 0.5 + (t / Math.sqrt(3) / (1 + (t * t) / 3) + Math.atan(t / Math.sqrt(3))) / Math.PI],
  ])("with %i degrees of freedom is that of the closed form", (df, closedForm) => {
    fc.assert(
      fc.property(fc.double({ min: -100, max: 100, noNaN: true }), (t) => {
        expect(Math.abs(studentTCdf(t, df) - closedForm(t))).toBeLessThan(1e-12);
      }),
    );
  });

  test("is symmetric, and grows with t", () => {
    fc.assert(
      fc.property(degrees, fc.double({ min: -50, max: 50, noNaN: true }), (df, t) => {
        expect(studentTCdf(t, df) + studentTCdf(-t, df)).toBeCloseTo(1, 12);
        expect(studentTCdf(t + 0.1, df)).toBeGreaterThanOrEqual(studentTCdf(t, df));
      }),
    );
  });

  test("keeps the digits of a tail that is far out", () => {
    // 1/2 - t / (2 sqrt(2 + t^2)) is 1 / (2 t^2) in the limit.
    expect(studentTCdf(-1e6, 2) * 2e12).toBeCloseTo(1, 6);
  });
});
