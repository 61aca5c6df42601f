import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { holm } from "../../../src/stats/holm.js";

const ALPHA = 0.05;
const small = fc.double({ min: 0, max: 0.06, noNaN: true });
const pValues = fc.array(fc.oneof(small, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 8 });

describe("Holm's correction", () => {
  test("is that of the example, in the order given", () => {
    const tests = holm([0.01, 0.04, 0.03, 0.005], ALPHA);
    expect(tests.map(({ adjusted }) => Number(adjusted.toFixed(9)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    // 0.005 < 0.05/4 and 0.01 < 0.05/3, but 0.03 > 0.05/2, and nothing behind it is rejected.
    expect(tests.map(({ level }) => level)).toEqual([ALPHA / 3, ALPHA / 2, ALPHA / 2, ALPHA / 4]);
  });

  test("leaves a single p value unchanged, and accepts an empty list", () => {
    expect(holm([0.03], ALPHA)).toEqual([{ adjusted: 0.03, level: ALPHA }]);
    expect(holm([], ALPHA)).toEqual([]);
  });

  test("lies between none and Bonferroni's, and keeps the order", () => {
    fc.assert(
      fc.property(pValues, (values) => {
        const adjusted = holm(values, ALPHA).map((test) => test.adjusted);
        for (const [index, p] of values.entries()) {
          expect(adjusted[index]).toBeGreaterThanOrEqual(p);
          expect(adjusted[index]).toBeLessThanOrEqual(Math.min(1, p * values.length));
          for (const [other, q] of values.entries())
            if (q < p) expect(adjusted[other]).toBeLessThanOrEqual(adjusted[index]!);
        }
      }),
    );
  });

  test("rejects exactly those whose own p value is below the level it was held against", () => {
    fc.assert(
      fc.property(pValues, (values) => {
        const tests = holm(values, ALPHA);
        // At the very bound the two computations round each in its own way.
        fc.pre(tests.every(({ level }, index) => Math.abs(values[index]! - level) > 1e-12));
        expect(tests.map(({ adjusted }) => adjusted < ALPHA)).toEqual(
          tests.map(({ level }, index) => values[index]! < level),
        );
      }),
    );
  });
});
