import { describe, expect, test } from "vitest";
import { EarlyDecision, type Decision } from "../../../src/capacity/early-decision.js";
import { parseThreshold } from "../../../src/stats/threshold.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";

/** A probe at 100/s whose orchestrations all take `latencyMs`, looked at four times a second; when and how it is decided. */
function decisionAt(latencyMs: number, objective: string, lengthMs = 20_000) {
  const decision = new EarlyDecision({
    objectives: [parseThreshold(objective)],
    warmupMs: 2_000,
    lengthMs,
    measuredStarts: lengthMs / 10,
  });
  for (let atMs = 250; atMs < 2_000 + lengthMs; atMs += 250) {
    const [started, ended] = [atMs / 10, Math.max(0, (atMs - latencyMs) / 10)];
    const decided: Decision | undefined = decision.add(
      { atMs, started, ended },
      soFar(atMs, ended, started, latencyMs),
    );
    if (decided) return { atMs, ...decided };
  }
  return undefined;
}

function soFar(atMs: number, ended: number, started: number, ms: number): RunResult {
  const { verdict: _verdict, ...open } = openLoadResult;
  const summary = {
    count: Math.max(0, ended - 200),
    mean: ms,
    p50: ms,
    p90: ms,
    p95: ms,
    p99: ms,
    max: ms,
    until: "noticed" as const,
  };
  return {
    ...open,
    durationMs: atMs,
    counts: {
      ...open.counts,
      orchestrations: { started, completed: ended, failed: 0, terminated: 0, unfinished: started - ended },
    },
    latencyMs: ended > 200 ? { response: summary, service: summary } : {},
  };
}

describe("a probe ends early", () => {
  test("as held, after half of its time, if its latency is far below the objective", () => {
    expect(decisionAt(50, "p99<2s")).toEqual({ atMs: 12_250, kind: "held" });
  });

  test("not as held, if the latency is near the objective", () => {
    expect(decisionAt(1_500, "p99<2s")).toBeUndefined();
  });

  test("as missed, as soon as more are in flight for longer than the objective allows", () => {
    // 1 % of 2,000 may take longer than 2 s; lateness of noticing is allowed for: 3.5 s.
    expect(decisionAt(60_000, "p99<2s")).toEqual({
      atMs: 5_750,
      kind: "missed",
      reason: expect.stringContaining("took longer than 3.50 s, more than p99<2s allows"),
    });
  });

  test("as missed by the completed ones", () => {
    expect(decisionAt(4_000, "p90<2s")).toMatchObject({ kind: "missed" });
  });

  test("not before the sample is large enough", () => {
    expect(decisionAt(50, "p99.9<2s", 40_000)).toBeUndefined();
  });
});
