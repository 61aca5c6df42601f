import * as fc from "fast-check";
import { expect, test } from "vitest";
import { kendallTau } from "../../../src/stats/kendall-tau.js";

test.each([
  [[], 0],
  [[3], 0],
  [[1, 2, 3, 4], 1],
  [[4, 3, 2, 1], -1],
  [[5, 5, 5], 0],
  // Of 6 pairs 5 rise and one falls.
  [[1, 3, 2, 4], 4 / 6],
  [[1, 1, 2], 2 / 3],
])("of %j is %d", (values, expected) => {
  expect(kendallTau(values)).toBeCloseTo(expected, 12);
});

test("does not depend on how far values are apart, and turns with their order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 12 }), (values) => {
      const tau = kendallTau(values);
      expect(kendallTau(values.map((value) => value ** 3 + 7))).toBe(tau);
      expect(kendallTau(values.toReversed())).toBeCloseTo(-tau, 12);
      expect(Math.abs(tau)).toBeLessThanOrEqual(1);
    }),
  );
});
