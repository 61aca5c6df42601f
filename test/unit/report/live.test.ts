import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { Terminal } from "@xterm/headless";
import { Chalk } from "chalk";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveBars, barLines } from "../../../src/report/live-bars.js";
import { LiveLines, pauseAfterMs, progressLine } from "../../../src/report/live-lines.js";
import { latencyText } from "../../../src/report/live-text.js";
import type { OutputStream } from "../../../src/report/output-stream.js";
import { RateWindow } from "../../../src/report/rate-window.js";
import type { LiveSnapshot } from "../../../src/stats/live-snapshot.js";

const snapshot: LiveSnapshot = {
  elapsedMs: 12_000,
  orchestrations: { total: 200, started: 200, ended: 10 },
  activities: { total: 20_000, completed: 1_000 },
  responseMs: { count: 10, mean: 6_000, max: 9_000 },
};

const loaded: LiveSnapshot = {
  ...snapshot,
  lengthMs: 60_000,
  orchestrations: { total: 0, started: 1_200, ended: 1_100 },
  own: {
    completed: 1_098,
    failed: 2,
    terminated: 0,
    inFlight: 100,
    heldBack: 0,
    rpcErrors: { UNAVAILABLE: 12 },
    stall: { fromMs: 10_000, lengthMs: 2_000, inFlight: 100, offeredPerSecond: 100, rpcErrors: { UNAVAILABLE: 12 } },
  },
};
const coloured = new Chalk({ level: 1 });

function collect(properties: Partial<OutputStream> = {}) {
  const stream = new PassThrough();
  const chunks: string[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  return { stream: Object.assign(stream, properties), text: () => chunks.join("") };
}

/** What there is to show, as time passes. */
function later(snapshot: LiveSnapshot): () => LiveSnapshot {
  const beganMs = Date.now();
  return () => ({ ...snapshot, elapsedMs: snapshot.elapsedMs + Date.now() - beganMs });
}

/** A terminal that, when it becomes narrower, wraps what it shows, as that of Visual Studio Code does, or cuts it. */
function terminal(columns: number, { rows = 24, kind = "wraps" }: { rows?: number; kind?: "wraps" | "cuts" } = {}) {
  const { stream, text } = collect({ isTTY: true, columns, rows });
  // An old console of Windows does not wrap again.
  const old = kind === "cuts" ? { windowsPty: { backend: "conpty", buildNumber: 18_000 } as const } : {};
  const xterm = new Terminal({ cols: columns, rows, allowProposedApi: true, ...old });
  let taken = 0;
  const take = (): Promise<void> => {
    const [from, all] = [taken, text()];
    taken = all.length;
    return new Promise((resolve) => xterm.write(all.slice(from).replaceAll(/(?<!\r)\n/gu, "\r\n"), resolve));
  };
  const screen = async (): Promise<readonly string[]> => {
    await take();
    const { active } = xterm.buffer;
    const lines = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true, 0, xterm.cols).trimEnd() ?? "",
    );
    return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
  };
  const resize = async (to: number): Promise<void> => {
    await take();
    xterm.resize(to, rows);
    Object.assign(stream, { columns: to });
    stream.emit("resize");
  };
  return { stream, text, screen, resize };
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

  test("leaves out unknown activities", () => {
    const unknown = { ...snapshot, activities: { total: 0, completed: 0 }, responseMs: undefined };
    expect(progressLine(unknown, 0)).toBe("12 s: 10 of 200 orchestrations");
  });

  test("has no control characters, and comes sparser as the run gets long", () => {
    const { stream, text } = collect();
    const startedMs = Date.now();
    const lines = new LiveLines(stream, () => ({ ...snapshot, elapsedMs: Date.now() - startedMs }));
    lines.start();
    vi.advanceTimersByTime(10 * 60_000);
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
  beforeEach(() => {
    // The terminal takes its time for what is written to it.
    vi.useRealTimers();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
  });

  test("prints lines above the bars, broken between words, and leaves nothing else behind", async () => {
    const { stream, screen } = terminal(60);
    const bars = new LiveBars(stream, later(snapshot));
    bars.start();
    await vi.advanceTimersByTimeAsync(1_000);
    bars.line("worker 1 was started again, since it had ended with code 137, and nothing is lost by that");
    await vi.advanceTimersByTimeAsync(1_000);
    const above = ["worker 1 was started again, since it had ended with code", "137, and nothing is lost by that"];
    expect(await screen()).toEqual([
      ...above,
      expect.stringMatching(/^orchestrations {2}░{19} {6}10 \/ {4}200 {4}5 %$/u),
      expect.stringMatching(/^activities {6}░{19} {3}1,000 \/ 20,000 {4}5 %$/u),
      "14 s   activities 0/s now, 71.4/s on average",
      "response until noticed mean 6 s, max 9 s",
    ]);
    bars.stop();
    expect(await screen()).toEqual(above);
  });

  test("gives the cursor back, and wrapping", () => {
    const { stream, text } = terminal(80);
    const bars = new LiveBars(stream, () => snapshot);
    bars.start();
    expect(text()).toContain("\u001B[?25l");
    bars.stop();
    expect(text().endsWith("\u001B[?25h")).toBe(true);
    expect(text().lastIndexOf("\u001B[?7h")).toBeGreaterThan(text().lastIndexOf("\u001B[?7l"));
  });

  test.each([
    { kind: "wraps", from: 120, to: 60 },
    { kind: "wraps", from: 120, to: 40 },
    { kind: "wraps", from: 60, to: 120 },
    { kind: "wraps", from: 80, to: 25 },
    { kind: "cuts", from: 120, to: 60 },
    { kind: "cuts", from: 80, to: 25 },
  ] as const)("leaves no fragment on a terminal that $kind, from $from to $to columns", async ({ kind, from, to }) => {
    const { stream, screen, resize } = terminal(from, { kind });
    const bars = new LiveBars(stream, later(loaded), kind === "wraps" ? { TERM_PROGRAM: "vscode" } : {});
    stream.write("$ fanout run\r\n");
    bars.start();
    await vi.advanceTimersByTimeAsync(1_000);
    await resize(to);
    const lines = await screen();
    expect(lines[0]).toBe("$ fanout run");
    for (const line of lines) expect(line.length).toBeLessThan(to);
    for (const part of ["seconds", "orchestrations started", "on average", "until noticed", "stalled"])
      expect(lines.join(" ").split(part)).toHaveLength(2);

    bars.stop();
    expect(await screen()).toEqual(["$ fanout run"]);
  });

  test("shows as much as a terminal has rows for", async () => {
    const { stream, screen } = terminal(80, { rows: 3 });
    const bars = new LiveBars(stream, () => loaded);
    bars.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await screen()).toEqual([
      expect.stringMatching(/^seconds /u),
      expect.stringMatching(/^1,200 orchestrations started, .*, 2 failed$/u),
    ]);
    bars.stop();
  });

  test("shows the duration of the iterations of a single orchestration, and then its time", () => {
    const one = {
      ...loaded,
      orchestrations: { total: 1, started: 1, ended: 0 },
      activities: { total: 500, completed: 50, perIteration: 5 },
      responseMs: undefined,
    };
    expect(latencyText(one)).toBe("iteration 1.20 s on average; response time when the orchestration has ended");
    const begun = { ...one, activities: { ...one.activities, completed: 4 } };
    expect(latencyText(begun)).toBe("response time when the orchestration has ended");
    const ended = { ...one, responseMs: { count: 1, mean: 14_000, max: 14_000 } };
    expect(latencyText(ended)).toBe("response until noticed 14 s");
  });

  test("has a bar whose total may grow, and none for activities that are not known", async () => {
    const { stream, screen } = terminal(80);
    let total = 200;
    const bars = new LiveBars(stream, () => ({
      ...snapshot,
      orchestrations: { total, started: total, ended: 10 },
      activities: { total: 0, completed: 0 },
    }));
    bars.start();
    expect((await screen())[0]).toMatch(/ 10 \/ 200 /u);
    total = 400;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await screen())[0]).toMatch(/ 10 \/ 400 /u);
    expect((await screen()).join("\n")).not.toContain("activities");
    bars.stop();
  });

  test.each([60, 80, 120, 300])("a bar fits into %d columns", (width) => {
    const [bar = ""] = barLines([{ name: "orchestrations", done: 61_234, total: 100_000 }], width, coloured);
    const visible = stripVTControlCharacters(bar);
    expect(visible.length).toBeLessThanOrEqual(width);
    expect(visible).toMatch(/^orchestrations {2}█+░+ {3}61,234 \/ 100,000 {3}61 %$/u);
  });

  test.each([
    [40, "activities  61,234 / 1,000,000  6 %"],
    [33, "activities  61,234 / 1,000,000"],
    [20, "activities  6 %"],
    [10, "activities"],
  ])("without room for a bar the counts are left, whole, in %d columns", (width, line) => {
    expect(barLines([{ name: "activities", done: 61_234, total: 1_000_000 }], width, coloured)).toEqual([line]);
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
