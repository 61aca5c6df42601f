import { describe, expect, test } from "vitest";
import { movedText } from "../../../src/report/comparison-rows.js";
import { compareRuns } from "../../../src/stats/comparison.js";
import { movedPhasesOf } from "../../../src/stats/moved-phases.js";
import type { Breakdown, PhaseTime, RunResult } from "../../../src/result/run-result.js";
import { brokenDownResult } from "../../support/report/broken-down-result.js";
import { fiveRunsOf } from "../../support/report/compared-runs.js";

function time(meanMs: number): PhaseTime {
  return { meanMs, share: 0, each: { count: 1, mean: meanMs, max: meanMs } };
}

/** A run whose traced orchestrations spent so many milliseconds in each phase. */
function run(ms: Readonly<Record<string, number>>, of: RunResult = brokenDownResult): RunResult {
  const phases = Object.fromEntries(Object.entries(ms).map(([phase, meanMs]) => [phase, time(meanMs)]));
  const breakdown: Breakdown = { ...brokenDownResult.breakdown!, phases };
  return { ...of, breakdown };
}

describe("the phases that moved from one side to the other", () => {
  test("have the means of the runs, the largest change first, and add up", () => {
    const base = [run({ queue: 100, execute: 50 }), run({ queue: 120, execute: 50 })];
    expect(movedPhasesOf(base, [run({ queue: 130, execute: 48, timer: 3 })])).toEqual({
      baseMs: 160,
      newMs: 181,
      phases: [
        { phase: "queue", baseMs: 110, newMs: 130 },
        { phase: "timer", baseMs: 0, newMs: 3 },
        { phase: "execute", baseMs: 50, newMs: 48 },
      ],
    });
  });

  test("that one run cannot tell apart are one in all", () => {
    const moved = movedPhasesOf([run({ queue: 10, return: 5 })], [run({ queueAndReturn: 25 })]);
    expect(moved).toEqual({ baseMs: 15, newMs: 25, phases: [{ phase: "queueAndReturn", baseMs: 15, newMs: 25 }] });
  });

  test("are not known where a run was not traced", () => {
    const { breakdown: _breakdown, ...untraced } = brokenDownResult;
    expect(movedPhasesOf([brokenDownResult], [untraced])).toBeUndefined();
  });

  test("are told where a figure differs, and only then", () => {
    const base = fiveRunsOf("base", { rate: 1_600 }).map((one) => run({ queue: 100, execute: 50, notice: 1 }, one));
    const slow = fiveRunsOf("new", { rate: 1_200 }).map((one) => run({ queue: 110, execute: 52, notice: 1 }, one));
    const same = fiveRunsOf("new", { rate: 1_600 }).map((one) => run({ queue: 110, execute: 52, notice: 1 }, one));
    expect(movedText(compareRuns(base, slow))).toBe(
      "the traced orchestrations took 12 ms longer on average: queue +10 ms, execute +2 ms",
    );
    expect(movedText(compareRuns(base, same))).toBeUndefined();
    expect(movedText(compareRuns(slow, base))).toContain("12 ms less on average: queue -10 ms");
  });
});
