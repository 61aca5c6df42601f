import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { LatencySummary, RunResult } from "../../../src/result/run-result.js";
import type { Shard } from "../../../src/result/shard.js";
import { DueStarts, type ArrivalPlan } from "../../../src/plan/arrivals.js";
import type { DueCount } from "../../../src/result/load-shape.js";
import { mergedStanding, type StandingPart } from "../../../src/stats/merged-standing.js";
import { isMissedForGood, judge, parseThreshold } from "../../../src/stats/threshold.js";
import { sampleResult } from "../../support/report/sample-result.js";
import {
  MIX,
  SEED,
  STARTED_MS,
  recordedOf,
  simulations,
  type Simulation,
} from "../../support/stats/simulated-shards.js";

const OF = { environment: sampleResult.environment, health: {} };
const THRESHOLDS = ["p50<20ms", "p99<100ms", "errors<2%", "orchestrations/s>1000", "max<1ms", "Order p90<50ms"].map(
  (text) => parseThreshold(text, MIX),
);

/** Nothing was sent for `heldMs` when the run is looked at. */
function wholeAt(simulation: Simulation, atMs: number, heldMs = 0): RunResult {
  const { recorder } = recordedOf(simulation, undefined, STARTED_MS + atMs);
  const due = dueBy({ ...simulation.plan, seed: SEED }, atMs + heldMs);
  return recorder.standing("run", STARTED_MS + atMs, { ...OF, due });
}

function dueBy(plan: ArrivalPlan, ms: number): DueCount {
  return new DueStarts(plan).by(ms);
}

function partAt(simulation: Simulation, shard: Shard, atMs: number, heldMs = 0): StandingPart {
  const { recorder } = recordedOf(simulation, shard, STARTED_MS + atMs);
  const due = dueBy({ ...simulation.plan, seed: SEED, shard }, atMs + heldMs);
  const part = recorder.standingPart(shard, STARTED_MS + atMs, { ...OF, due, judged: ["Order"] });
  // It goes through a message.
  return JSON.parse(JSON.stringify(part)) as StandingPart;
}

function mergedAt(simulation: Simulation, of: number, atMs: number, heldMs: number): RunResult {
  const parts = Array.from({ length: of }, (_, index) => partAt(simulation, { number: index + 1, of }, atMs, heldMs));
  const { environment } = sampleResult;
  const times = { startedMs: STARTED_MS, durationMs: atMs, toldMs: atMs };
  return mergedStanding(parts, { runId: "run", ...times, plan: simulation.plan, environment });
}

function withoutVerdict({ verdict: _verdict, ...result }: RunResult): RunResult {
  return result;
}

function expectAlike(found: LatencySummary | undefined, expected: LatencySummary | undefined): void {
  expect(found?.count).toBe(expected?.count);
  for (const name of ["mean", "p50", "p90", "p95", "p99", "max"] as const) {
    if (expected?.[name] === undefined) expect(found?.[name]).toBeUndefined();
    // The histogram has three significant digits.
    else expect(Math.abs(found![name]! / expected[name] - 1)).toBeLessThan(2e-3);
  }
}

test("what the generators of a run tell together stands as the run of a single one", () => {
  const times = fc.integer({ min: 100, max: 5_000 });
  const held = fc.constantFrom(0, 0, 10, 1_000);
  fc.assert(
    fc.property(simulations, fc.integer({ min: 1, max: 4 }), times, held, (simulation, of, atMs, heldMs) => {
      // A generator may object to its part where the whole is within bounds.
      const whole = withoutVerdict(wholeAt(simulation, atMs, heldMs));
      const found = withoutVerdict(mergedAt(simulation, of, atMs, heldMs));
      expect(found.counts.unsent).toBe(whole.counts.unsent);
      expect(found.counts.orchestrations).toEqual(whole.counts.orchestrations);
      expect(found.counts.measured).toEqual(whole.counts.measured);
      for (const name of ["response", "service", "startRpc", "slip", "server"] as const)
        expectAlike(found.latencyMs[name], whole.latencyMs[name]);
      expect(found.throughput?.orchestrationsPerSecond ?? 0).toBeCloseTo(
        whole.throughput?.orchestrationsPerSecond ?? 0,
      );
      const [order, refund] = whole.byOrchestration!;
      expect(found.byOrchestration?.map(({ counts }) => counts)).toEqual([order!.counts, refund!.counts]);
      expectAlike(found.byOrchestration![0]!.latencyMs.response, order!.latencyMs.response);
      for (const threshold of THRESHOLDS) {
        const [{ passed, reason }, expected] = [judge(threshold, found), judge(threshold, whole)];
        expect({ passed, reason }).toEqual({ passed: expected.passed, reason: expected.reason });
        expect(isMissedForGood(threshold, found)).toBe(isMissedForGood(threshold, whole));
      }
    }),
    { numRuns: 25 },
  );
});

test("only the orchestrations that a threshold names tell their latencies", () => {
  const simulation = fc.sample(simulations, { numRuns: 1, seed: 1 })[0]!;
  const { byOrchestration } = partAt(simulation, { number: 1, of: 2 }, 3_000);
  expect(byOrchestration!.map(({ orchestrator, tally }) => [orchestrator, tally !== undefined])).toEqual([
    ["Order", true],
    ["Refund", false],
  ]);
});

test("an objection of one generator is one of the whole, with its number", () => {
  const simulation = fc.sample(simulations, { numRuns: 1, seed: 1 })[0]!;
  const [first, second] = [1, 2].map((number) => partAt(simulation, { number, of: 2 }, 3_000)) as [
    StandingPart,
    StandingPart,
  ];
  const reason = { severity: "invalid", name: "slip", text: "late", advice: "wait" } as const;
  const told = { runId: "run", startedMs: STARTED_MS, durationMs: 3_000, toldMs: 3_000, plan: simulation.plan };
  const { verdict } = mergedStanding([first, { ...second, verdict: { status: "invalid", reasons: [reason] } }], {
    ...told,
    environment: sampleResult.environment,
  });
  expect(verdict).toMatchObject({ status: "invalid", reasons: [{ text: "shard 2 of 2: late" }] });
});
