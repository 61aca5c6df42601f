import { describe, expect, test } from "vitest";
import { formatCount, parseCount, plural } from "../../../src/format/count.js";

describe("a count as people write it", () => {
  test.each([
    ["0", 0],
    ["10", 10],
    [" 10 ", 10],
    ["1000", 1_000],
    ["1,000", 1_000],
    ["1_000", 1_000],
    ["12,345,678", 12_345_678],
    ["10k", 10_000],
    ["2M", 2_000_000],
  ])("%j is %d", (text, count) => {
    expect(parseCount(text)).toBe(count);
  });

  test.each(["", "-1", "1.5", "1,00", "1,0000", ",100", "1 000", "ten", "0x10", "1e3", "10K ", "10kk", "9".repeat(20)])(
    "%j is no count",
    (text) => {
      expect(parseCount(text)).toBeUndefined();
    },
  );

  test.each([
    [0, "0"],
    [999, "999"],
    [1_000, "1,000"],
    [1_234.6, "1,235"],
    [12_345_678, "12,345,678"],
  ])("%d is printed as %s", (count, text) => {
    expect(formatCount(count)).toBe(text);
  });

  test.each([
    [1, "activity", "1 activity"],
    [0, "activity", "0 activities"],
    [1_000, "orchestration", "1,000 orchestrations"],
    [2, "worker process", "2 worker processes"],
    [2, "day", "2 days"],
  ])("%d %s is %s", (count, noun, text) => {
    expect(plural(count, noun)).toBe(text);
  });
});
