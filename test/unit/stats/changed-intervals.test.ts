import { expect, test } from "vitest";
import { ChangedIntervals } from "../../../src/stats/changed-intervals.js";
import { IntervalTally } from "../../../src/stats/interval-tally.js";

test("what is beyond the limit comes with the next questions, and what has changed since too", () => {
  const tallies = Array.from({ length: 5 }, () => new IntervalTally());
  const changed = new ChangedIntervals();
  const next = (most?: number) => changed.next({ widthMs: 1_000, tallies }, most).map(({ index }) => index);
  expect(next(2)).toEqual([0, 1]);
  expect(next(2)).toEqual([2, 3]);
  expect(next(2)).toEqual([4]);
  expect(next(2)).toEqual([]);
  expect(next()).toEqual([]);
});
