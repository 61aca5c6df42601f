import { describe, expect, test } from "vitest";
import { notCompletedText, outcomeText } from "../../../src/report/outcome.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

describe("the outcome", () => {
  const orchestrations = { started: 50, completed: 50, failed: 0, terminated: 0, unfinished: 0 };
  const timed = { ...sampleResult.plan, load: { kind: "closed", durationMs: 10_000 } } as const;
  const toTotal = { ...sampleResult.plan, load: { kind: "closed", total: 60 } } as const;
  const open = openLoadResult.plan;
  test.each<{ is: string; plan: RunResult["plan"]; interrupted?: boolean; planned?: number }>([
    { is: "Completed 50 orchestrations in 12.3 s", plan: timed },
    { is: "Interrupted: 50 of 50 orchestrations completed in 12.3 s", plan: timed, interrupted: true },
    { is: "Incomplete: 50 of 60 orchestrations completed in 12.3 s, 10 never started", plan: toTotal },
    { is: "Incomplete: 50 of 55 orchestrations completed in 12.3 s, 5 never started", plan: open, planned: 55 },
    { is: "Completed 50 orchestrations in 12.3 s", plan: open, planned: 50 },
    { is: "Completed 50 orchestrations in 12.3 s", plan: toTotal, interrupted: true, planned: 50 },
  ])("is $is", ({ is, plan, interrupted = false, planned }) => {
    const counts = { ...sampleResult.counts, orchestrations, ...(planned !== undefined && { planned }) };
    expect(outcomeText({ ...sampleResult, plan, interrupted, counts })).toBe(is);
  });

  test.each([
    ["12 unfinished", { interrupted: true, durationMs: 116_000 }],
    ["12 unfinished after 5 s of grace", { durationMs: 120_000.5 }],
    ["12 unfinished", { durationMs: 119_999 }],
  ])("leaves %s: %j", (expected, changes) => {
    expect(notCompletedText({ ...openLoadResult, ...changes })).toBe(`3 failed, ${expected}`);
  });
});
