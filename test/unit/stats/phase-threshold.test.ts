import { describe, expect, test } from "vitest";
import { judge, parseThreshold } from "../../../src/stats/threshold.js";
import type { Breakdown, RunResult } from "../../../src/result/run-result.js";
import { brokenDownResult } from "../../support/report/broken-down-result.js";

const { breakdown: whole } = brokenDownResult;
const { queue, execute, return: back, ...others } = whole!.phases!;

function judged(expression: string, breakdown: Breakdown | undefined) {
  const { breakdown: _breakdown, ...result } = brokenDownResult;
  return judge(parseThreshold(expression), { ...result, ...(breakdown && { breakdown }) } satisfies RunResult);
}

describe("a threshold on a phase", () => {
  test.each([
    ["queue p90<150ms", { value: 120, passed: true }],
    ["queue mean<50ms", { value: 80, passed: false }],
    ["share.execute>80%", { value: 0.08, passed: false }],
    ["share.queue<50%", { value: 0.4, passed: true }],
    ["breakdown.phases.fanIn.meanMs<1s", { value: 200, passed: true }],
  ])("%s is judged by the phase's figure", (expression, expected) => {
    const { value = 0, passed } = judged(expression, whole);
    expect(value).toBeCloseTo(expected.value, 9);
    expect(passed).toBe(expected.passed);
  });

  test.each<[string, Breakdown | undefined, string]>([
    ["queue p90<1s", undefined, "no orchestration was traced"],
    ["queue p90<1s", { ...whole!, phases: { ...others, activity: queue! } }, "the worker does not stamp: use activity"],
    [
      "queue p90<1s",
      { ...whole!, phases: { ...others, queueAndReturn: back! } },
      "the clocks are known too loosely: use queueAndReturn",
    ],
    ["timer mean<1s", { ...whole!, phases: { ...others, execute: execute! } }, "the phase did not occur"],
    ["finish p99<1s", whole, "24 samples do not carry it"],
    ["queue p90<1s", { orchestrations: whole!.orchestrations, missing: "the backend is gone" }, "the backend is gone"],
  ])("%s is missed where it was not measured, and says why", (expression, breakdown, reason) => {
    expect(judged(expression, breakdown)).toMatchObject({ passed: false, reason: `not judged, ${reason}` });
  });
});
