import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FanInError, checkFanIn, checkParts, isFaultless, partsOf } from "../../../src/orchestrations/fan-in.js";
import type { FanOutFanInActivityOutput } from "../../../src/orchestrations/fan-out-fan-in-contract.js";

const result = (iterationNumber: number, activityNumber: number): FanOutFanInActivityOutput => ({
  iterationNumber,
  activityNumber,
  processingTimeMs: 0,
  output: "Hello World",
});

/** An iteration with its complete results, in some order. */
const fanIn = fc
  .record({ iteration: fc.nat(1_000), width: fc.integer({ min: 1, max: 40 }) })
  .chain(({ iteration, width }) => {
    const results = Array.from({ length: width }, (_, activity) => result(iteration, activity));
    return fc.record({
      iteration: fc.constant(iteration),
      width: fc.constant(width),
      results: fc.shuffledSubarray(results, { minLength: width }),
    });
  });

describe("checkFanIn", () => {
  test("each activity once, in any order, is faultless", () => {
    fc.assert(
      fc.property(fanIn, ({ iteration, width, results }) => {
        expect(isFaultless(checkFanIn(iteration, width, results))).toBe(true);
      }),
    );
  });

  test("exactly those left out are lost", () => {
    fc.assert(
      fc.property(fanIn, fc.infiniteStream(fc.boolean()), ({ iteration, width, results }, keep) => {
        const kept = results.filter(() => keep.next().value);
        const lost = results.filter((each) => !kept.includes(each)).map((each) => each.activityNumber);
        expect(checkFanIn(iteration, width, kept)).toEqual({
          lost: lost.sort((a, b) => a - b),
          doubled: [],
          unexpected: [],
        });
      }),
    );
  });

  test("exactly those that came again are doubled", () => {
    fc.assert(
      fc.property(fanIn, fc.nat(), fc.integer({ min: 1, max: 3 }), ({ iteration, width, results }, pick, times) => {
        const again = results[pick % width]!;
        const extra = Array.from({ length: times }, () => ({ ...again }));
        expect(checkFanIn(iteration, width, [...results, ...extra])).toEqual({
          lost: [],
          doubled: [again.activityNumber],
          unexpected: [],
        });
      }),
    );
  });

  test("a result in place of another loses one and doubles one", () => {
    expect(checkFanIn(0, 3, [result(0, 0), result(0, 1), result(0, 1)])).toEqual({
      lost: [2],
      doubled: [1],
      unexpected: [],
    });
  });

  test.each([
    ["of another iteration", result(4, 1)],
    ["of an activity too many", result(3, 2)],
    ["with a wrong output", { ...result(3, 1), output: "Hello" }],
    ["without its time", { iterationNumber: 3, activityNumber: 1, output: "Hello World" }],
    ["with a number that is no count", { ...result(3, 1), activityNumber: -1 }],
    ["with a number that is a string", { ...result(3, 1), activityNumber: "1" }],
    ["that is nothing", undefined],
    ["that is null", null],
    ["that is text", "Hello World"],
  ])("a result %s is unexpected, and its activity lost", (_, wrong) => {
    expect(checkFanIn(3, 2, [result(3, 0), wrong])).toEqual({ lost: [1], doubled: [], unexpected: [wrong] });
  });
});

function outputOf(part: object): object {
  return { ...part, processingTimeMs: 0, retries: 0 };
}

describe("the parts of a fan-out", () => {
  const divided = fc
    .tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 250 }))
    .map(([width, count]) => ({ width, count, parts: partsOf(4, width, count) }));
  test("hold each activity once, in order, and differ by at most one", () => {
    fc.assert(
      fc.property(divided, ({ width, count, parts }) => {
        expect(parts).toHaveLength(Math.min(width, count));
        const numbers = parts.flatMap(({ firstActivity, activities }) =>
          Array.from({ length: activities }, (_, index) => firstActivity + index),
        );
        expect(numbers).toEqual(Array.from({ length: width }, (_, number) => number));
        const sizes = parts.map(({ activities }) => activities);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("each once, in any order, are faultless", () => {
    fc.assert(
      fc.property(divided, ({ parts }) => {
        expect(isFaultless(checkParts(parts, parts.map(outputOf).toReversed()))).toBe(true);
      }),
    );
  });

  test("a lost, a doubled and a foreign one are named by their activities", () => {
    const [first, second, third] = partsOf(4, 7, 3);
    const foreign = outputOf({ ...third!, iterationNumber: 3 });
    expect(checkParts([first!, second!, third!], [first!, first!, second!].map(outputOf).concat(foreign))).toEqual({
      lost: [4, 5, 6],
      doubled: [0, 1],
      unexpected: [foreign],
    });
  });
});

describe("FanInError", () => {
  test("it names the pairs", () => {
    const faults = checkFanIn(3, 4, [result(3, 0), result(3, 0), result(3, 2), result(9, 9)]);
    expect(new FanInError(3, 4, faults).message).toBe(
      "Fan-in of iteration 3: expected one result from each of 4 activities, found lost (3, 1), (3, 3); " +
        'doubled (3, 0); unexpected {"iterationNumber":9,"activityNumber":9,"processingTimeMs":0,"output":"Hello World"} ' +
        "(as iteration, activity, from 0)",
    );
  });

  test("it names ten and counts the rest", () => {
    const { message } = new FanInError(0, 25, checkFanIn(0, 25, []));
    expect(message).toContain("(0, 9) and 15 more");
    expect(message).not.toContain("(0, 10)");
  });
});
