import { expect, test } from "vitest";
import { offsetOf } from "../../../src/diagnosis/hello.js";

const call = (sentMs: number, answeredMs: number, dateMs: number | undefined) => ({ sentMs, answeredMs, dateMs });

test.each<[string, Parameters<typeof offsetOf>[0], ReturnType<typeof offsetOf>]>([
  ["no calls bound nothing", [], undefined],
  ["no date bounds nothing", [call(0, 10, undefined)], undefined],
  ["one date of many is not enough", [call(0, 10, 0), call(0, 10, undefined)], undefined],
  ["a date bounds it to a second and the call", [call(5_100, 5_150, 5_000)], { atLeastMs: -150, atMostMs: 900 }],
  [
    "dates together bound it more closely",
    [call(5_900, 5_920, 5_000), call(6_000, 6_020, 6_000)],
    { atLeastMs: -20, atMostMs: 100 },
  ],
  ["a clock that is behind", [call(65_000, 65_000, 5_000)], { atLeastMs: -60_000, atMostMs: -59_000 }],
  ["dates that contradict each other tell nothing", [call(0, 0, 0), call(0, 0, 9_000)], undefined],
])("%s", (_, calls, expected) => {
  expect(offsetOf(calls)).toEqual(expected);
});
