import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { Chalk } from "chalk";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveBars, barLine } from "../../src/report/live-bars.js";
import { LiveLines, pauseAfterMs, progressLine } from "../../src/report/live-lines.js";
import type { OutputStream } from "../../src/report/output-stream.js";
import { RateWindow } from "../../src/report/rate-window.js";
import type { LiveSnapshot } from "../../src/stats/live-snapshot.js";

const snapshot: LiveSnapshot = {
  elapsedMs: 12_000,
  orchestrations: { total: 200, started: 200, ended: 10 },
  activities: { total: 20_000, completed: 1_000 },
  responseMs: { count: 10, mean: 6_000, max: 9_000 },
};

function collect(properties: Partial<OutputStream> = {}) {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  return { stream: Object.assign(stream, properties), text: () => chunks.join("") };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("progress without a terminal", () => {
  test("is a line with what is done, the rates, and the latency so far", () => {
    expect(progressLine(snapshot, 100)).toBe(
      "12 s: 10 of 200 orchestrations, 1,000 of 20,000 activities, activities 100/s now, 83.3/s on average, " +
        "response until noticed mean 6 s, max 9 s",
    );
  });

  test("names the unit of every figure of a load that time bounds", () => {
    const own = { completed: 89, failed: 0, terminated: 0, inFlight: 6, heldBack: 0, rpcErrors: {}, stall: undefined };
    const orchestrations = { total: 0, started: 95, ended: 89 };
    const load = { ...snapshot, lengthMs: 60_000, orchestrations, responseMs: undefined, own };
    expect(progressLine(load, 565)).toBe(
      "12 s: 95 orchestrations started, 89 completed, 6 in flight, activities 565/s now, 83.3/s on average",
    );
  });

  test("leaves activities out where they are not known", () => {
    const unknown = { ...snapshot, activities: { total: 0, completed: 0 }, responseMs: undefined };
    expect(progressLine(unknown, 0)).toBe("12 s: 10 of 200 orchestrations");
  });

  test("has no control characters, and comes sparser as the run gets long", async () => {
    const { stream, text } = collect();
    const startedMs = Date.now();
    const lines = new LiveLines(stream, () => ({ ...snapshot, elapsedMs: Date.now() - startedMs }));
    lines.start();
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    lines.stop();
    // oxlint-disable-next-line no-control-regex
    expect(text()).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/u);
    const times = text().trimEnd().split("\n");
    expect(times.length).toBeGreaterThan(20);
    expect(times.length).toBeLessThan(60);
  });

  test("ends when it is stopped", async () => {
    const { stream, text } = collect();
    const lines = new LiveLines(stream, () => snapshot);
    lines.start();
    lines.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(text()).toBe("");
  });

  test.each([
    [0, 2_000],
    [10_000, 5_000],
    [60_000, 10_000],
    [300_000, 30_000],
    [1_800_000, 60_000],
  ])("after %d ms pauses %d ms", (elapsedMs, pauseMs) => {
    expect(pauseAfterMs(elapsedMs)).toBe(pauseMs);
  });
});

describe("progress on a terminal", () => {
  test("prints lines above the bars, and gives the cursor back", async () => {
    const { stream, text } = collect({ isTTY: true, columns: 60 });
    const bars = new LiveBars(stream, () => snapshot);
    bars.start();
    await vi.advanceTimersByTimeAsync(1_000);
    bars.line("worker 1 was started again");
    await vi.advanceTimersByTimeAsync(1_000);
    bars.stop();
    expect(text()).toContain("\u001B[?25l");
    expect(text().lastIndexOf("\u001B[?25h")).toBeGreaterThan(text().lastIndexOf("\u001B[?25l"));
    expect(text()).toContain("\u001B[?7hworker 1 was started again\u001B[K");
  });

  test("has a bar whose total may grow, and none for activities that are not known", async () => {
    const { stream, text } = collect({ isTTY: true, columns: 80 });
    let total = 200;
    const bars = new LiveBars(stream, () => ({
      ...snapshot,
      orchestrations: { total, started: total, ended: 10 },
      activities: { total: 0, completed: 0 },
    }));
    bars.start();
    await vi.advanceTimersByTimeAsync(1_000);
    total = 400;
    await vi.advanceTimersByTimeAsync(1_000);
    bars.stop();
    const seen = stripVTControlCharacters(text());
    expect(seen).toMatch(/10 \/ 200 .*10 \/ 400/su);
    expect(seen).not.toContain("activities");
  });

  test.each([60, 80, 120, 300])("a bar fits into %d columns", (width) => {
    const bar = barLine(
      { name: "orchestrations", digits: 7 },
      { value: 61_234, total: 100_000, progress: 0.61 },
      width,
      new Chalk({ level: 1 }),
    );
    const visible = stripVTControlCharacters(bar);
    expect(visible.length).toBeLessThanOrEqual(width);
    expect(visible).toMatch(/^orchestrations {2}█+░+ {3}61,234 \/ 100,000 {3}61 %$/u);
  });

  test.each([10, 20, 40])("without room for a bar the counts are left, in %d columns", (width) => {
    const bar = barLine(
      { name: "activities", digits: 9 },
      { value: 61_234, total: 1_000_000, progress: 0.06 },
      width,
      new Chalk({ level: 0 }),
    );
    expect(bar.length).toBeLessThanOrEqual(width);
  });
});

describe("the rate now", () => {
  test("is that of the last seconds", () => {
    const rate = new RateWindow(3_000);
    expect(rate.add(0, 0)).toBeUndefined();
    expect(rate.add(1_000, 100)).toBe(100);
    expect(rate.add(3_000, 300)).toBe(100);
    expect(rate.add(6_000, 300)).toBe(0);
    expect(rate.add(7_500, 900)).toBeCloseTo(600 / 4.5);
  });
});
