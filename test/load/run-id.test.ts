import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instanceIdOf, newRunId, runIdOf } from "../../src/load/run-id.js";

const time = fc.integer({ min: 0, max: 36 ** 8 - 1 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("a run id", () => {
  test("is found again in every instance id of its run", () => {
    fc.assert(
      fc.property(time, random, fc.nat(), (nowMs, tail, sequence) => {
        const runId = newRunId(nowMs, () => tail);
        expect(runIdOf(instanceIdOf(runId, sequence))).toBe(runId);
      }),
    );
  });

  test("sorts by time", () => {
    fc.assert(
      fc.property(time, time, random, random, (one, other, a, b) => {
        fc.pre(one < other);
        expect(newRunId(one, () => a) < newRunId(other, () => b)).toBe(true);
      }),
    );
  });

  test.each(["", "order-12345", "r0123456789ab", "r0123456789ab-1", "R0123456789AB-00001", "xr0123456789ab-00001"])(
    "%j is no instance of a run",
    (instanceId) => {
      expect(runIdOf(instanceId)).toBeUndefined();
    },
  );
});
