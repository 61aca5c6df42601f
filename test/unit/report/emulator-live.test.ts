import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { closingText, fitLine, liveParts, type EmulatorFigures } from "../../../src/report/emulator-live-text.js";
import { showEmulatorLive } from "../../../src/report/emulator-live.js";
import type { OutputStream } from "../../../src/report/output-stream.js";

const NOTHING: EmulatorFigures = {
  orchestrationsEnded: 0,
  activitiesCompleted: 0,
  inFlight: 0,
  workers: 0,
  storeBytes: 4_096,
};
const BUSY: EmulatorFigures = {
  orchestrationsEnded: 1_240,
  activitiesCompleted: 12_400,
  inFlight: 250,
  workers: 2,
  storeBytes: 48_123_456,
};
const BUSY_LINE = "  1,240 orchestrations/s   12,400 activities/s   250 in flight   2 workers   48.1 MB";

function lineOf(now: Partial<EmulatorFigures>, elapsedMs: number, before: Partial<EmulatorFigures> = {}): string {
  return fitLine(liveParts({ ...NOTHING, ...before }, { ...NOTHING, ...now }, elapsedMs), 200);
}

describe("the text of the live line", () => {
  test.each<[string, string]>([
    ["what happened in a second", lineOf(BUSY, 1_000)],
    [
      "rates that hold for a longer time too",
      lineOf({ ...BUSY, orchestrationsEnded: 3_100, activitiesCompleted: 31_000 }, 2_500),
    ],
  ])("is %s", (_, line) => {
    expect(line).toBe(BUSY_LINE);
  });

  test.each<[string, Partial<EmulatorFigures>, Partial<EmulatorFigures>, string]>([
    ["nothing done, nothing held", {}, {}, "  idle   no workers   4.10 kB"],
    ["much done before, nothing since", BUSY, { ...BUSY, inFlight: 0 }, "  idle   2 workers   48.1 MB"],
    [
      "one of each",
      { orchestrationsEnded: 9, activitiesCompleted: 9 },
      { orchestrationsEnded: 10, activitiesCompleted: 10, workers: 1 },
      "  1 orchestration/s   1 activity/s   0 in flight   1 worker   4.10 kB",
    ],
    [
      "what is in flight makes no progress",
      {},
      { inFlight: 3 },
      "  0 orchestrations/s   0 activities/s   3 in flight   no workers   4.10 kB",
    ],
  ])("with %s", (_, before, now, line) => {
    expect(lineOf(now, 1_000, before)).toBe(line);
  });

  test.each([
    [200, BUSY_LINE],
    [BUSY_LINE.length + 1, BUSY_LINE],
    [81, "  1,240 orchestrations/s  12,400 activities/s  250 in flight  2 workers  48.1 MB"],
    [80, "  1,240 orchestrations/s   12,400 activities/s   250 in flight   2 workers"],
    [60, "  1,240 orchestrations/s   12,400 activities/s"],
    [30, "  1,240 orchestrations/s"],
    [20, ""],
    [1, ""],
  ])("in %d columns is what fits", (columns, line) => {
    expect(fitLine(liveParts(NOTHING, BUSY, 1_000), columns)).toBe(line);
  });

  test("never fills a line, and never cuts a figure", () => {
    const figures = fc.record({
      orchestrationsEnded: fc.nat(),
      activitiesCompleted: fc.nat(),
      inFlight: fc.nat(),
      workers: fc.nat({ max: 2_000 }),
      storeBytes: fc.nat({ max: 1e13 }),
    });
    fc.assert(
      fc.property(figures, fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 200 }), (now, ms, columns) => {
        const parts = liveParts(NOTHING, now, ms);
        const line = fitLine(parts, columns);
        expect(line.length).toBeLessThan(columns);
        const shown = line === "" ? [] : line.trim().split(/ {2,}/u);
        expect(shown).toEqual(parts.slice(0, shown.length));
      }),
    );
  });
});

test.each([
  [BUSY, 130_000, "stopped after 2m10s: 1,240 orchestrations, 12,400 activities"],
  [
    { ...NOTHING, orchestrationsEnded: 1, activitiesCompleted: 1 },
    1_240,
    "stopped after 1.24 s: 1 orchestration, 1 activity",
  ],
])("the closing line says what was done, and in which time", (figures, ranMs, text) => {
  expect(closingText(figures, ranMs)).toBe(text);
});

/** What a terminal shows that obeys the few codes of the live line: its lines, and how many writes made them. */
class Screen {
  readonly stream: OutputStream & { columns: number };
  writes = 0;
  raw = "";
  #lines = [""];
  #column = 0;

  constructor(properties: { readonly columns: number; readonly colours?: number }) {
    const stream = new PassThrough();
    stream.on("data", (chunk: Buffer) => this.#take(chunk.toString()));
    const getColorDepth = () => properties.colours ?? 1;
    this.stream = Object.assign(stream, { isTTY: true, columns: properties.columns, getColorDepth });
  }

  get lines(): readonly string[] {
    return this.#lines.map((line) => line.trimEnd());
  }

  #take(text: string): void {
    this.writes += 1;
    this.raw += text;
    const plain = stripVTControlCharacters(text.replaceAll("\u001B[J", "\u0000").replaceAll("\u001B[K", "\u0000"));
    for (const character of plain) {
      const line = this.#lines.at(-1)!;
      if (character === "\r") {
        this.#column = 0;
      } else if (character === "\n") {
        this.#lines.push("");
        this.#column = 0;
      } else if (character === "\u0000") {
        this.#lines[this.#lines.length - 1] = line.slice(0, this.#column);
      } else {
        this.#lines[this.#lines.length - 1] =
          line.slice(0, this.#column).padEnd(this.#column) + character + line.slice(this.#column + 1);
        this.#column += 1;
      }
    }
  }
}

describe("the live line on a terminal", () => {
  let figures: EmulatorFigures;

  beforeEach(() => {
    vi.useFakeTimers();
    figures = NOTHING;
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function show(properties: { readonly columns: number; readonly colours?: number } = { columns: 100 }) {
    const screen = new Screen(properties);
    const { line, stop } = showEmulatorLive(screen.stream, () => figures);
    onTestFinished(stop);
    return { screen, line, stop };
  }

  test("is overwritten in place, with the rates of the last second", async () => {
    const { screen } = show();
    expect(screen.lines).toEqual(["  idle   no workers   4.10 kB"]);
    figures = BUSY;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(screen.lines).toEqual([BUSY_LINE]);
    figures = { ...BUSY, inFlight: 0 };
    await vi.advanceTimersByTimeAsync(1_000);
    expect(screen.lines).toEqual(["  idle   2 workers   48.1 MB"]);
  });

  test("is not drawn again while nothing changes", async () => {
    const { screen } = show();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(screen.writes).toBe(1);
  });

  test("follows the width of the terminal at once", () => {
    const { screen } = show();
    figures = BUSY;
    vi.advanceTimersByTime(1_000);
    screen.stream.columns = 60;
    screen.stream.emit("resize");
    expect(screen.lines).toEqual(["  1,240 orchestrations/s   12,400 activities/s"]);
    screen.stream.columns = 100;
    screen.stream.emit("resize");
    expect(screen.lines).toEqual([BUSY_LINE]);
  });

  test("continues below messages, and overwrites none of them", async () => {
    const { screen, line } = show();
    line("warning: an input has 2 MB");
    figures = BUSY;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(screen.lines).toEqual(["warning: an input has 2 MB", BUSY_LINE]);
  });

  test("leaves nothing behind, and is silent from then on", async () => {
    const { screen, stop } = show();
    stop();
    stop();
    const { writes } = screen;
    figures = BUSY;
    await vi.advanceTimersByTimeAsync(10_000);
    screen.stream.emit("resize");
    expect(screen.lines).toEqual([""]);
    expect(screen.writes).toBe(writes);
    screen.stream.write("stopped\n");
    expect(screen.lines).toEqual(["stopped", ""]);
  });

  test("is dim where there are colours, and plain where there are none", () => {
    expect(show({ columns: 100, colours: 8 }).screen.raw).toContain("\u001B[2m");
    expect(show({ columns: 100, colours: 1 }).screen.raw).not.toContain("\u001B[2m");
  });

  test("is not there without a terminal", async () => {
    const stream = new PassThrough();
    const { stop } = showEmulatorLive(stream, () => figures);
    await vi.advanceTimersByTimeAsync(10_000);
    stop();
    expect(stream.read()).toBeNull();
  });
});
