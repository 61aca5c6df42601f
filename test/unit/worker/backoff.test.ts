import * as fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../../src/worker/backoff.js";

test("it starts at 50 ms at most, doubles, and stays at 2 s", () => {
  expect([0, 1, 2, 5, 6, 1_000].map((failures) => backoffMs(failures, () => 1))).toEqual([
    50, 100, 200, 1_600, 2_000, 2_000,
  ]);
});

test("it is never less than half of its longest", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const longest = backoffMs(failures, () => 1);
      const ms = backoffMs(failures, () => random);
      expect(ms).toBeGreaterThanOrEqual(longest / 2);
      expect(ms).toBeLessThanOrEqual(longest);
    }),
  );
});
