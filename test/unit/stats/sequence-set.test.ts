import * as fc from "fast-check";
import { expect, test } from "vitest";
import { SequenceSet } from "../../../src/stats/sequence-set.js";

const numbers = fc.array(fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 100_000 })));

function setOf(sequences: readonly number[]): SequenceSet {
  const set = new SequenceSet();
  for (const sequence of sequences) set.add(sequence);
  return set;
}

test("it has each added number once, and no other", () => {
  fc.assert(
    fc.property(numbers, numbers, (added, asked) => {
      const set = setOf(added);
      const model = new Set(added);
      expect(set.size).toBe(model.size);
      for (const number of [...added, ...asked]) expect(set.has(number)).toBe(model.has(number));
    }),
  );
});

test("the numbers that another set lacks come in ascending order", () => {
  fc.assert(
    fc.property(numbers, numbers, (one, other) => {
      const expected = [...new Set(one)].filter((number) => !other.includes(number)).sort((a, b) => a - b);
      expect([...setOf(one).missingFrom(setOf(other))]).toEqual(expected);
    }),
  );
});
