import { describe, expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../../src/format/duration.js";
import { formatRate } from "../../../src/format/rate.js";

describe("a duration as people write it", () => {
  test.each([
    ["500ms", 500],
    ["30s", 30_000],
    ["1.5s", 1_500],
    ["1m30s", 90_000],
    ["1m 30s", 90_000],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["7d", 604_800_000],
    ["1h2m3s4ms", 3_723_004],
    ["0s", 0],
  ])("%j is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "10", "10 minutes", "-1s", "s", "30s1m", "1h1d", "1w", "1,5s", "m"])("%j is no duration", (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, "0 ms"],
    [0.412, "0.41 ms"],
    [4.1234, "4.12 ms"],
    [99.96, "100 ms"],
    [412.4, "412 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [1_240, "1.24 s"],
    [12_300, "12.3 s"],
    [59_960, "1m"],
    [90_000, "1m30s"],
    [3_600_000, "1h"],
    [7_500_000, "2h5m"],
  ])("%d ms is printed as %s", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test.each([
    [0, "0/s"],
    [0.416, "0.42/s"],
    [16.31, "16.3/s"],
    [99.97, "100/s"],
    [1_234.4, "1,234/s"],
  ])("%d a second is printed as %s", (rate, text) => {
    expect(formatRate(rate)).toBe(text);
  });
});
