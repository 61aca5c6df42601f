import { expect, test } from "vitest";
import { parseRate, parseStages } from "../../../src/plan/stages.js";

test.each([
  ["50/s", 50],
  ["0.5/s", 0.5],
  ["90/m", 1.5],
  ["90/min", 1.5],
  ["3600/h", 1],
  ["1,000/s", 1_000],
  ["2k/s", 2_000],
  [" 50 / s ", 50],
  ["100000/s", 100_000],
])("the rate %j is %d a second", (text, perSecond) => {
  expect(parseRate(text)).toBe(perSecond);
});

test.each(["", "50", "0/s", "-1/s", "50/d", "fast", "100001/s", "1e3/s", "50/s/s", "1.5.2/s", "Infinity/s"])(
  "%j is no rate",
  (text) => {
    expect(parseRate(text)).toBeUndefined();
  },
);

const stage = (fromPerSecond: number, toPerSecond: number, lengthMs: number) => ({
  fromPerSecond,
  toPerSecond,
  lengthMs,
});

test.each([
  ["10/s:30s", [stage(10, 10, 30_000)]],
  ["10/s:30s,10/s->100/s:1m", [stage(10, 10, 30_000), stage(10, 100, 60_000)]],
  [" 10/s -> 0/s : 1m30s , 0/s:5s", [stage(10, 0, 90_000), stage(0, 0, 5_000)]],
  ["1,000/s:2s,2,000/s:3s", [stage(1_000, 1_000, 2_000), stage(2_000, 2_000, 3_000)]],
])("the stages %j", (text, stages) => {
  expect(parseStages(text)).toEqual(stages);
});

test.each([
  "",
  "10/s",
  "10/s:",
  ":30s",
  "10/s:0s",
  "10/s:30s,",
  "10/s->20/s->30/s:1m",
  "10/s:1m:2m",
  "10:30s",
  "10/s:600h",
])("%j are no stages", (text) => {
  expect(parseStages(text)).toBeUndefined();
});

test("more than a hundred stages are too many", () => {
  const hundred = Array.from({ length: 100 }, () => "1/s:1s").join(",");
  expect(parseStages(hundred)).toHaveLength(100);
  expect(parseStages(`${hundred},1/s:1s`)).toBeUndefined();
});
