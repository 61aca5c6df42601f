import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bucketOf,
  bucketPrefixOf,
  instanceIdOf,
  instanceIdPrefixOf,
  isGeneratedRunId,
  isRunId,
  newRunId,
  newServedId,
  repeatedRunId,
  runIdFlag,
  runIdOf,
  sequenceOf,
} from "../../../src/plan/run-id.js";
import { isOfRun } from "../../../src/emulator/hub/retention.js";

const time = fc.integer({ min: 0, max: 36 ** 8 - 1 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const ownId = fc.stringMatching(/^[A-Za-z0-9][\w.]{0,39}$/u);
const sequence = fc.nat({ max: 10_000_000_000 });

describe("an instance id", () => {
  test.each([
    [0, "a-00000-000"],
    [999, "a-00000-999"],
    [1_000, "a-00001-000"],
    [99_999_999, "a-99999-999"],
    [100_000_000, "a-100000-000"],
  ])("of number %d is %s", (number, instanceId) => {
    expect(instanceIdOf("a", number)).toBe(instanceId);
  });

  test("contains its run id and its number", () => {
    fc.assert(
      fc.property(ownId, sequence, (runId, number) => {
        expect(runIdOf(instanceIdOf(runId, number))).toBe(runId);
        expect(sequenceOf(instanceIdOf(runId, number))).toBe(number);
      }),
    );
  });

  test("starts as its bucket does, and no other bucket and no other run does", () => {
    fc.assert(
      fc.property(ownId, ownId, sequence, sequence, (runId, other, number, otherNumber) => {
        const instanceId = instanceIdOf(runId, number);
        expect(instanceId.startsWith(bucketPrefixOf(runId, bucketOf(number)))).toBe(true);
        const elsewhere = bucketPrefixOf(runId, bucketOf(otherNumber));
        expect(instanceId.startsWith(elsewhere)).toBe(bucketOf(otherNumber) === bucketOf(number));
        expect(instanceId.startsWith(instanceIdPrefixOf(other))).toBe(other === runId);
      }),
    );
  });

  test.each([
    "",
    "order-12345",
    "r0123456789ab",
    "r0123456789ab-1",
    "r0123456789ab-00001",
    "r0123456789ab-00001-0001",
    "r0123456789ab-000001-001",
    "a-b-00001-001",
    ".a-00001-001",
  ])("is not %j", (instanceId) => {
    expect(runIdOf(instanceId)).toBeUndefined();
    expect(sequenceOf(instanceId)).toBeUndefined();
  });
});

describe("a run id", () => {
  test("that is made up sorts by time", () => {
    fc.assert(
      fc.property(time, time, random, random, (one, other, a, b) => {
        fc.pre(one < other);
        expect(newRunId(one, () => a) < newRunId(other, () => b)).toBe(true);
      }),
    );
  });

  test("that is made up is known as such, also that of a repeated run", () => {
    fc.assert(
      fc.property(time, random, fc.integer({ min: 1, max: 1_000 }), (nowMs, tail, number) => {
        const runId = newRunId(nowMs, () => tail);
        const repeated = repeatedRunId(runId, number);
        const served = newServedId(nowMs, () => tail);
        expect([runId, repeated, served].map(isGeneratedRunId)).toEqual([true, true, true]);
        // The emulator knows them by their form, and no other room.
        const ids = [runId, repeated, served, "nightly"].map((id) => instanceIdOf(id, number));
        expect(ids.map(isOfRun)).toEqual([true, true, false, false]);
      }),
    );
    expect(["nightly", "r0123456789abc", "r0123456789ab.x", ""].map(isGeneratedRunId)).not.toContain(true);
  });

  test("that is given is a run id, and so is that of each of its repeated runs", () => {
    fc.assert(
      fc.property(ownId, fc.integer({ min: 1, max: 1_000 }), (runId, number) => {
        expect(runIdFlag.parse(runId)).toBe(runId);
        expect(isRunId(repeatedRunId(runId, number))).toBe(true);
      }),
    );
  });

  test.each(["", "a-b", "a b", ".a", "_a", "a/b", "é", "a".repeat(41)])("is refused as %j", (text) => {
    expect(runIdFlag.safeParse(text).error?.issues[0]?.message).toBe(
      `--run-id: expected up to 40 letters, digits, "_" and ".", the first a letter or digit, found "${text}"`,
    );
  });
});
