import { describe, expect, test } from "vitest";
import { parseRunCall } from "../../../src/commands/run-call.js";
import { startAtOf } from "../../../src/plan/shard-flags.js";
import { isOfShard, ordinalOf, partOf, sequenceOfShard } from "../../../src/result/shard.js";

/** As commander fills them in. */
const DEFAULTS = { iterations: "10", parallelActivities: "5", workers: "auto", timeout: "10m" };
const SHARD = { runId: "nightly", startIn: "30s" };

function call(flags: object) {
  return parseRunCall({ ...DEFAULTS, ...flags });
}

describe("--shard", () => {
  test("keeps the plan of the whole run beside the shard, and the cost of the whole run", () => {
    const whole = call({ parallelOrchestrations: "10" });
    const part = call({ ...SHARD, shard: "2/4", parallelOrchestrations: "10" });
    expect(part.plan).toEqual({ ...whole.plan, shard: { number: 2, of: 4 }, workers: 0 });
    expect(part.cost).toEqual(whole.cost);
  });

  test.each([
    ["2", '--shard: expected a part such as 2/4, of at most 1000, found "2"'],
    ["0/4", "--shard: expected a part such as 2/4"],
    ["5/4", "--shard: expected a part such as 2/4"],
    ["1/1001", "--shard: expected a part such as 2/4"],
    ["1/2/3", "--shard: expected a part such as 2/4"],
  ])("%s is refused by name", (shard, message) => {
    expect(() => call({ ...SHARD, shard, parallelOrchestrations: "10" })).toThrow(message);
  });

  test.each([
    [{ runId: undefined }, "--shard: expected --run-id with it"],
    [{ startIn: undefined }, "--shard: expected --start-at or --start-in with it"],
    [{ startAt: "2030-01-02T03:04:05Z" }, "--start-in: expected it without --start-at"],
    [{ threshold: ["p99<1s"] }, "--threshold: expected it without --shard"],
    [{ threshold: ["p99<1s"], abortOnFail: true }, "--threshold: expected it without --shard"],
    [{ baseline: ["a.json"] }, "--baseline: expected it without --shard"],
    [{ repeat: "3" }, "--repeat: expected it without --shard"],
    [{ purge: true }, "--purge: expected it without --shard"],
    [
      { parallelOrchestrations: "3" },
      "--shard: expected at most 3 shards, one for each of --parallel-orchestrations 3",
    ],
    [{ total: "3" }, "--shard: expected at most 3 shards, one for each of --total 3"],
    [
      { parallelOrchestrations: undefined, rate: "10/s", duration: "10s", maxInFlight: "3" },
      "--shard: expected at most 3 shards, one for each of --max-in-flight 3",
    ],
  ])("%o is refused by name", (flags, message) => {
    expect(() => call({ ...SHARD, shard: "1/4", parallelOrchestrations: "10", ...flags })).toThrow(message);
  });
});

test("the numbers of the shards divide the starts of the run", () => {
  const shards = [1, 2, 3].map((number) => ({ number, of: 3 }));
  expect(shards.map((shard) => partOf(10, shard))).toEqual([4, 3, 3]);
  expect(partOf(10, undefined)).toBe(10);
  for (const shard of shards) {
    for (const ordinal of [0, 1, 7]) {
      const sequence = sequenceOfShard(ordinal, shard);
      expect(ordinalOf(sequence, shard)).toBe(ordinal);
      expect(shards.filter((other) => isOfShard(sequence, other))).toEqual([shard]);
    }
  }
});

test("the time of the first start is within a day, and not in the past", () => {
  const nowMs = Date.UTC(2030, 0, 1);
  const at = (startAt: number) => () => startAtOf({ startAt }, nowMs);
  expect(at(nowMs + 1)()).toBe(nowMs + 1);
  expect(startAtOf({ startIn: 5_000 }, nowMs)).toBe(nowMs + 5_000);
  expect(startAtOf({}, nowMs)).toBeUndefined();
  expect(at(nowMs - 1)).toThrow("--start-at: expected a time within 24h from now, 2030-01-01T00:00:00.000Z");
  expect(at(nowMs + 25 * 3_600_000)).toThrow("--start-at: expected a time within 24h from now");
  expect(() => startAtOf({ startIn: 25 * 3_600_000 }, nowMs)).toThrow("--start-in: expected at most 24h");
});
