import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countsOf, countsOfEach, startsOf } from "../../../src/generators/lost-counts.js";
import { placeInMix } from "../../../src/result/mix.js";
import { sequenceOfShard } from "../../../src/result/shard.js";

const MIX = [
  { orchestrator: "Order", weight: 3 },
  { orchestrator: "Refund", weight: 1 },
];
const STATUSES = ["Pending", "Running", "Completed", "Failed", "Terminated"] as const;

const lost = fc
  .record({
    of: fc.integer({ min: 1, max: 4 }),
    seed: fc.nat(9),
    told: fc.nat(60),
    /** Of the starts in their order; undefined where the backend has no instance. */
    statuses: fc.array(fc.option(fc.constantFrom(...STATUSES), { nil: undefined }), { maxLength: 60 }),
  })
  .chain((given) =>
    fc.integer({ min: 1, max: given.of }).map((number) => ({ ...given, shard: { number, of: given.of } })),
  );

describe("what a generator that died had started", () => {
  test("adds up over the orchestrations of the mix, whatever the backend knows", () => {
    fc.assert(
      fc.property(lost, ({ shard, seed, told, statuses }) => {
        const known = new Map(
          statuses.flatMap((status, ordinal) => (status ? [[sequenceOfShard(ordinal, shard), status] as const] : [])),
        );
        const starts = startsOf(known, told, shard);
        const [whole, each] = [countsOf(starts), countsOfEach(starts, { orchestrations: MIX, seed })];
        expect(whole.started).toBe(Math.max(told, known.size));
        expect(whole.started).toBe(whole.completed + whole.failed + whole.terminated + whole.unfinished);
        for (const outcome of ["started", "completed", "failed", "terminated", "unfinished"] as const)
          expect(each.reduce((sum, counts) => sum + counts[outcome], 0)).toBe(whole[outcome]);
      }),
    );
  });

  test("is of the orchestrations that its numbers say where the backend knows less than the generator told", () => {
    const shard = { number: 2, of: 3 };
    const [first, second] = [sequenceOfShard(0, shard), sequenceOfShard(1, shard)];
    const starts = startsOf(new Map([[second, "Completed"]]), 3, shard);
    expect([...starts.keys()].toSorted((a, b) => a - b)).toEqual([first, second, sequenceOfShard(2, shard)]);
    const each = countsOfEach(starts, { orchestrations: MIX });
    expect(each[placeInMix(MIX, second)]).toMatchObject({ completed: 1 });
  });
});
