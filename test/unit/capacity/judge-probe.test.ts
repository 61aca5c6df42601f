import { describe, expect, test } from "vitest";
import { judgeProbe } from "../../../src/capacity/judge-probe.js";
import { parseThreshold } from "../../../src/stats/threshold.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";

const VALID = { ...openLoadResult, stalls: [], verdict: { status: "valid", reasons: [] } } satisfies RunResult;
const INVALID: RunResult = {
  ...VALID,
  verdict: {
    status: "invalid",
    reasons: [{ severity: "invalid", name: "slip", text: "late starts", advice: "lower the rate" }],
  },
};
function unsentOf(result: RunResult, unsent: number): RunResult {
  return { ...result, counts: { ...result.counts, unsent } };
}

const LOOSE = [parseThreshold("p50<60m")];

function withOrchestrations(result: RunResult, counts: Partial<RunResult["counts"]["orchestrations"]>): RunResult {
  const orchestrations = { started: 1_000, completed: 1_000, failed: 0, terminated: 0, unfinished: 0, ...counts };
  return { ...result, series: [], generator: { heldBack: 0 }, counts: { ...result.counts, orchestrations } };
}

describe("a probe", () => {
  test("holds if all objectives do", () => {
    expect(judgeProbe(withOrchestrations(VALID, {}), LOOSE, undefined)).toMatchObject({ outcome: "held" });
  });

  test("misses an objective, and says which", () => {
    const judged = judgeProbe(withOrchestrations(VALID, {}), [...LOOSE, parseThreshold("p50<1ms")], undefined);
    expect(judged).toMatchObject({ outcome: "missed", reason: expect.stringContaining("p50<1ms missed") });
  });

  test("says nothing of the backend if the generator was not healthy and the objective is missed", () => {
    const { server: _server, ...latencyMs } = INVALID.latencyMs;
    const judged = judgeProbe(
      { ...withOrchestrations(INVALID, {}), latencyMs },
      [parseThreshold("p50<1ms")],
      undefined,
    );
    expect(judged).toMatchObject({ outcome: "invalid", reason: "late starts" });
  });

  test("holds though starts were late, as the response time includes that", () => {
    expect(judgeProbe(withOrchestrations(INVALID, {}), LOOSE, undefined)).toMatchObject({ outcome: "held" });
    const service = judgeProbe(withOrchestrations(INVALID, {}), [parseThreshold("service p50<60m")], undefined);
    expect(service).toMatchObject({ outcome: "invalid" });
  });

  test("misses though the generator was late, if the backend alone took longer than that explains", () => {
    const { latencyMs, ...rest } = withOrchestrations(INVALID, {});
    const late = (max: number): RunResult => ({
      ...rest,
      latencyMs: { ...latencyMs, slip: { count: 1, mean: 1, max } },
    });
    const objectives = [parseThreshold("p50<1ms")];
    expect(judgeProbe(late(0), objectives, undefined).reason).toMatch(/^p50<1ms missed: the backend itself took /u);
    expect(judgeProbe(late(1e6), objectives, undefined)).toMatchObject({ outcome: "invalid" });
    expect(judgeProbe(late(100), objectives, "decided")).toMatchObject({ outcome: "missed", reason: "decided" });
    expect(judgeProbe(late(1e6), objectives, "decided")).toMatchObject({ outcome: "invalid" });
  });

  test("says nothing if its sample is too small", () => {
    const { histograms: _histograms, ...rest } = withOrchestrations(VALID, {});
    const judged = judgeProbe(rest, [parseThreshold("service p99.999<1s")], undefined);
    expect(judged.outcome).toBe("invalid");
    expect(judged.reason).toMatch(/^service p99.999<1s not judged, /u);
  });

  test.each([
    [
      "work that did not end",
      withOrchestrations(INVALID, { completed: 990, unfinished: 10 }),
      "10 orchestrations did not end in time",
    ],
    [
      "failures",
      withOrchestrations(INVALID, { completed: 990, failed: 10 }),
      "errors<0.5% missed: 10 orchestrations failed",
    ],
    [
      "starts that the cap held back",
      { ...withOrchestrations(INVALID, {}), generator: { heldBack: 200 } },
      "200 starts waited, because as many were in flight as --max-in-flight allows",
    ],
    [
      "starts that were due and never sent",
      unsentOf(withOrchestrations(INVALID, {}), 500),
      "500 starts waited, because as many were in flight as --max-in-flight allows",
    ],
  ])("misses by %s whatever state the generator was in, as a late one offers less", (_, result, reason) => {
    expect(judgeProbe(result, [parseThreshold("errors<0.5%")], undefined)).toMatchObject({ outcome: "missed", reason });
  });
});
