import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Interruption } from "../../../src/commands/interruption.js";

describe("an interruption", () => {
  let interruption: Interruption;
  let now = 0;
  const exit = vi.fn<(code?: number | string | null) => never>();
  beforeEach(() => {
    now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now);
    vi.spyOn(process, "exit").mockImplementation(exit);
    exit.mockClear();
    interruption = new Interruption();
  });
  afterEach(() => {
    interruption[Symbol.dispose]();
    vi.restoreAllMocks();
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("by %s aborts and stands for %d", (signal, exitCode) => {
    expect(interruption.exitCode).toBeUndefined();
    process.emit(signal);
    expect(interruption.signal.aborted).toBe(true);
    expect(interruption.exitCode).toBe(exitCode);
    expect(exit).not.toHaveBeenCalled();
  });

  test("that comes twice for one key is one", () => {
    process.emit("SIGINT");
    now += 50;
    process.emit("SIGINT");
    expect(exit).not.toHaveBeenCalled();
  });

  test("by a terminal that closes is repeated by nobody: the shell in it passes it on, late", () => {
    process.emit("SIGHUP");
    now += 600;
    process.emit("SIGHUP");
    expect(exit).not.toHaveBeenCalled();
    process.emit("SIGTERM");
    expect(exit).toHaveBeenCalledWith(143);
  });

  test("repeated by a person ends the process now", () => {
    process.emit("SIGINT");
    now += 600;
    process.emit("SIGINT");
    expect(exit).toHaveBeenCalledWith(130);
  });

  describe("while the histories of a run are read", () => {
    const onSkip = vi.fn<() => void>();

    test.each<
      [signals: readonly (readonly [ms: number, signal: "SIGINT" | "SIGTERM"])[], skips: number, exitCode?: number]
    >([
      [[], 0],
      [[[0, "SIGINT"]], 1],
      // `npx` passes the same key press on.
      [
        [
          [0, "SIGINT"],
          [300, "SIGINT"],
        ],
        1,
      ],
      [
        [
          [0, "SIGINT"],
          [600, "SIGINT"],
        ],
        1,
        130,
      ],
      [[[0, "SIGTERM"]], 0, 143],
      [
        [
          [0, "SIGINT"],
          [50, "SIGTERM"],
        ],
        1,
        143,
      ],
    ])("by %j skips them %d times, and stands for %s", (signals, skips, exitCode) => {
      onSkip.mockClear();
      using reading = interruption.beginReading(onSkip);
      for (const [ms, signal] of signals) {
        now = ms;
        process.emit(signal);
      }
      expect(onSkip).toHaveBeenCalledTimes(skips);
      expect(reading.skipped.aborted).toBe(skips > 0);
      expect(interruption.exitCode).toBe(exitCode);
      expect(interruption.signal.aborted).toBe(exitCode !== undefined);
      expect(exit).not.toHaveBeenCalled();
    });

    test("once they are read, Ctrl-C ends the command", () => {
      interruption.beginReading(onSkip)[Symbol.dispose]();
      process.emit("SIGINT");
      expect(interruption.exitCode).toBe(130);
    });
  });
});
