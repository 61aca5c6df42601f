import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RepeatedLines } from "../../../src/format/repeated-lines.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("of lines that differ in numbers alone a few are written, and then how many there were", () => {
  const written: string[] = [];
  const lines = new RepeatedLines((line) => written.push(line));
  for (let n = 1; n <= 100; n += 1) lines.add(`worker ${n}: no luck`);
  lines.add("something else");
  expect(written).toEqual([...[1, 2, 3, 4, 5].map((n) => `worker ${n}: no luck`), "something else"]);
  vi.advanceTimersByTime(10_000);
  expect(written.at(-1)).toBe("worker 100: no luck (and 95 like it within 10 s)");
  for (let second = 0; second < 3_600; second += 1) {
    lines.add("worker 1: no luck");
    vi.advanceTimersByTime(1_000);
  }
  // A line a minute, and no more.
  expect(written.length).toBeLessThan(70);
});

test("lines that have stopped for a while are new when they come again, and what is held is written at the end", () => {
  const written: string[] = [];
  const lines = new RepeatedLines((line) => written.push(line));
  for (let n = 0; n < 6; n += 1) lines.add("again");
  vi.advanceTimersByTime(60_000);
  expect(written).toHaveLength(6);
  for (let n = 0; n < 7; n += 1) lines.add("again");
  lines.flush();
  expect(written.slice(6)).toEqual([
    ...Array.from({ length: 5 }, () => "again"),
    expect.stringMatching(/^again \(and 2/u),
  ]);
});
