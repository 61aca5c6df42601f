import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LoadShape } from "../../../src/result/load-shape.js";
import type { RunResult, Throughput } from "../../../src/result/run-result.js";
import { isMissedForGood, judge, parseThreshold } from "../../../src/stats/threshold.js";
import { sampleResult } from "../../support/report/sample-result.js";

const { throughput: _throughput, ...unmeasured } = sampleResult;

interface SoFar {
  readonly elapsedMs?: number;
  readonly load?: LoadShape;
  readonly inParallel?: number;
  readonly warmupMs?: number;
  readonly counts?: Partial<RunResult["counts"]["orchestrations"]>;
  readonly rpcErrors?: Readonly<Record<string, number>>;
  readonly throughput?: Throughput;
  readonly latencyMs?: RunResult["latencyMs"];
}

/** What there is of a run that is half a minute old, unless said otherwise. */
function soFar({
  elapsedMs = 30_000,
  load,
  inParallel = 10,
  warmupMs,
  counts,
  rpcErrors = {},
  ...rest
}: SoFar): RunResult {
  const orchestrations = { started: 1_000, completed: 900, failed: 0, terminated: 0, unfinished: 100, ...counts };
  return {
    ...unmeasured,
    latencyMs: {},
    ...rest,
    durationMs: elapsedMs,
    plan: {
      ...sampleResult.plan,
      ...(load ? { load } : {}),
      ...(load?.kind === "open" ? {} : { parallelOrchestrations: inParallel }),
      ...(warmupMs === undefined ? {} : { warmupMs }),
    },
    counts: { orchestrations, rpcErrors },
  };
}

const closed: LoadShape = { kind: "closed", durationMs: 600_000 };
const steady = open([50, 50], [50, 50]);
const poisson: LoadShape = {
  kind: "open",
  arrival: "poisson",
  stages: [{ fromPerSecond: 1, toPerSecond: 1, lengthMs: 1_000 }],
  maxInFlight: 1,
};

function open(...stages: readonly [number, number][]): LoadShape {
  return {
    kind: "open",
    arrival: "constant",
    stages: stages.map(([fromPerSecond, toPerSecond]) => ({ fromPerSecond, toPerSecond, lengthMs: 300_000 })),
    maxInFlight: 10_000,
  };
}

const window = (windowMs: number, orchestrationsPerSecond: number): Throughput => ({
  windowMs,
  orchestrationsPerSecond,
  activitiesPerSecond: 10 * orchestrationsPerSecond,
});
const makespan = (makespanMs: number, orchestrationsPerSecond: number): Throughput => ({
  makespanMs,
  orchestrationsPerSecond,
  activitiesPerSecond: 10 * orchestrationsPerSecond,
});

const slow = { count: 1_000, mean: 700, p50: 600, p90: 900, p99: 1_200, max: 3_000 };
const noted = { service: slow, response: slow };

describe("a run in progress has missed for good", () => {
  test.each<readonly [expression: string, state: SoFar]>([
    ["counts.orchestrations.failed<1", { counts: { failed: 1 }, elapsedMs: 10 }],
    ["counts.orchestrations.failed<=3", { counts: { failed: 4 } }],
    ["counts.orchestrations.terminated<1", { counts: { terminated: 1 } }],
    ["rpcErrors<10", { rpcErrors: { UNAVAILABLE: 6, INTERNAL: 4 } }],
    ["counts.rpcErrors.UNAVAILABLE<10", { rpcErrors: { UNAVAILABLE: 10 } }],
    ["duration<20s", {}],
    ["response max<2s", { latencyMs: noted, elapsedMs: 3_100 }],
    ["p99<1s", { latencyMs: noted }],
    ["service p50<=599ms", { latencyMs: noted }],
    // 11 of the 10,000 that there will ever be.
    ["errors<0.1%", { inParallel: 10_000, counts: { failed: 11 } }],
    ["errors<0.1%", { load: closed, counts: { started: 3_000, failed: 100 } }],
    ["errors<5%", { load: steady, counts: { started: 200, failed: 60, terminated: 10 } }],
    ["orchestrations/s>45", { load: closed, throughput: window(30_000, 40), latencyMs: noted }],
    ["activities/s>=450", { load: steady, throughput: window(30_000, 40), latencyMs: noted }],
    // 1,000 in 30 s are 33.3 a second, however soon the last ones complete.
    ["orchestrations/s>34", { inParallel: 1_000, throughput: makespan(29_000, 3) }],
    ["activities/s>340", { load: { kind: "closed", total: 1_000 }, throughput: makespan(29_000, 30) }],
  ])("%s: %j", (expression, state) => {
    expect(isMissedForGood(parseThreshold(expression), soFar(state))).toBe(true);
  });
});

describe("a run in progress may still reach", () => {
  test.each<readonly [why: string, expression: string, state: SoFar]>([
    ["what it has reached", "counts.orchestrations.failed<2", { counts: { failed: 1 } }],
    ["what was not measured yet", "p99<1s", {}],
    ["a count, from below", "counts.orchestrations.completed>=1000", { load: closed, throughput: window(30_000, 30) }],
    ["what falls when the last ones end", "counts.orchestrations.unfinished<1", {}],
    ["what falls when the last ones end", "stuck.total<1", {}],
    ["a duration, from below", "duration>1m", {}],
    ["a percentile, early", "p99<1s", { latencyMs: noted, elapsedMs: 9_999 }],
    ["a percentile, early after the warm-up", "p99<1s", { latencyMs: noted, warmupMs: 25_000 }],
    ["a percentile, from below", "p99>2s", { latencyMs: noted }],
    ["a mean", "mean<500ms", { latencyMs: noted }],
    ["a share of errors in a few", "errors<0.1%", { load: closed, counts: { started: 2_999, failed: 100 } }],
    ["a share of errors by chance", "errors<1%", { load: closed, counts: { started: 1_000, failed: 15 } }],
    ["a share of errors of those that may be many", "errors<0.1%", { load: poisson, counts: { failed: 40 } }],
    ["a share of errors that it just has", "errors<1%", { inParallel: 1_000, counts: { failed: 10 } }],
    ["a rate, early", "orchestrations/s>45", { load: closed, throughput: window(9_000, 4), elapsedMs: 9_000 }],
    ["a rate, from above", "orchestrations/s<30", { load: closed, throughput: window(30_000, 40) }],
    ["a rate of stages that grow", "orchestrations/s>45", { load: open([10, 100]), throughput: window(30_000, 12) }],
    [
      "a rate of stages that grow",
      "orchestrations/s>45",
      { load: open([10, 10], [90, 90]), throughput: window(30_000, 10) },
    ],
    [
      "a rate of what takes long",
      "orchestrations/s>45",
      { load: steady, throughput: window(30_000, 25), latencyMs: { service: { ...slow, mean: 15_000 } } },
    ],
    [
      "a rate, when all that is left completes at once",
      "orchestrations/s>33",
      { inParallel: 1_000, throughput: makespan(29_000, 0.1) },
    ],
    ["a share of a machine", "generator.cpu.machine<1%", {}],
  ])("%s: %s", (_why, expression, state) => {
    expect(isMissedForGood(parseThreshold(expression), soFar(state))).toBe(false);
  });
});

test("a share of errors that no further successes can repair is missed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 299 }), fc.nat(299), fc.nat(5_000), (started, failedOf, later) => {
      const failed = Math.min(started, failedOf);
      const threshold = parseThreshold("errors<1%");
      const all = started + later;
      const early = soFar({ inParallel: all, counts: { started, failed, completed: started - failed, unfinished: 0 } });
      const end = soFar({ inParallel: all, counts: { started: all, failed, completed: all - failed, unfinished: 0 } });
      fc.pre(isMissedForGood(threshold, early));
      expect(judge(threshold, end).passed).toBe(false);
    }),
  );
});
