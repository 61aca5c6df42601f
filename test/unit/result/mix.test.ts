import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { placeInMix, sharesOf } from "../../../src/result/mix.js";
import { sequenceOfShard } from "../../../src/result/shard.js";

const mixes = fc.array(fc.record({ weight: fc.double({ min: 0.01, max: 1_000, noNaN: true }) }), {
  minLength: 1,
  maxLength: 10,
});
const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });

function countsOf(places: readonly number[], length: number): readonly number[] {
  return Array.from({ length }, (_, place) => places.filter((each) => each === place).length);
}

describe("the mix of orchestrations", () => {
  test("has the shares of the weights within a few starts, from any start on", () => {
    const check = fc.property(
      mixes,
      seeds,
      fc.integer({ min: 0, max: 10_000_000 }),
      fc.integer({ min: 1, max: 5_000 }),
      (mix, seed, first, starts) => {
        const places = Array.from({ length: starts }, (_, index) => placeInMix(mix, first + index, seed));
        for (const [place, count] of countsOf(places, mix.length).entries())
          expect(Math.abs(count - starts * sharesOf(mix)[place]!)).toBeLessThan(6);
      },
    );
    fc.assert(check, { numRuns: 300 });
  });

  test("has these shares in each shard too", () => {
    const check = fc.property(mixes, seeds, fc.integer({ min: 2, max: 16 }), (mix, seed, of) => {
      for (let number = 1; number <= of; number += 1) {
        const places = Array.from({ length: 1_000 }, (_, ordinal) =>
          placeInMix(mix, sequenceOfShard(ordinal, { number, of }), seed),
        );
        for (const [place, count] of countsOf(places, mix.length).entries())
          expect(Math.abs(count / 1_000 - sharesOf(mix)[place]!)).toBeLessThan(0.02);
      }
    });
    fc.assert(check, { numRuns: 50 });
  });

  test("follows from the number of the start and the seed alone", () => {
    const check = fc.property(mixes, seeds, fc.nat(100_000_000), (mix, seed, sequence) => {
      const place = placeInMix(mix, sequence, seed);
      expect(place).toBe(placeInMix(structuredClone(mix), sequence, seed));
      expect(mix[place]).toBeDefined();
    });
    fc.assert(check);
  });

  test("has another order with another seed", () => {
    const mix = [{ weight: 1 }, { weight: 1 }];
    const order = (seed: number) => Array.from({ length: 20 }, (_, sequence) => placeInMix(mix, sequence, seed));
    expect(order(1)).not.toEqual(order(2));
  });
});
