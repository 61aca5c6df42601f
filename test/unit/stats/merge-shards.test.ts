import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultSchema } from "../../../src/result/result-schema.js";
import type { LatencySummary, ResultPlan, RunResult } from "../../../src/result/run-result.js";
import { partOf } from "../../../src/result/shard.js";
import { mergeShards } from "../../../src/stats/merge-shards.js";
import { shardsOfRun } from "../../../src/stats/shards-of-run.js";
import {
  MIX,
  SEED,
  STARTED_MS,
  resultOf,
  shardsOf,
  simulations,
  type Simulation,
} from "../../support/stats/simulated-shards.js";

/** As `fanout merge` does with the files, which hold what JSON can hold. */
function merged(results: readonly RunResult[]): RunResult {
  const read = results.map((result): RunResult => resultSchema.parse(JSON.parse(JSON.stringify(result))));
  return mergeShards(shardsOfRun(read.map((result, index) => ({ name: `${index + 1}.json`, result }))));
}

function startsOverTime({ series }: RunResult) {
  return series?.map(({ offered, started, fromMs }) => ({ offered, started, fromMs }));
}

/** Equal but for what is known of the backend's clock, and for the order in which numbers are added. */
function expectSummary(
  found: LatencySummary | undefined,
  expected: LatencySummary | undefined,
  withinMs: number,
): void {
  expect(found?.count).toBe(expected?.count);
  for (const name of ["mean", "p50", "p90", "p95", "p99", "max"] as const) {
    const [value, wanted] = [found?.[name], expected?.[name]];
    if (wanted === undefined) expect(value).toBeUndefined();
    // The histogram has three significant digits.
    else expect(Math.abs(value! - wanted)).toBeLessThanOrEqual(withinMs + wanted * 1e-3);
  }
}

describe("merging the shards of one schedule", () => {
  test("gives the figures of the run of a single generator", () => {
    fc.assert(
      fc.property(simulations, fc.integer({ min: 1, max: 5 }), (simulation, of) => {
        const whole = resultOf(simulation);
        const found = merged(shardsOf(simulation, of));
        const { rpcErrors, ...counts } = whole.counts;
        expect(found.counts).toMatchObject(counts);
        expect(found.counts.rpcErrors).toEqual(rpcErrors);
        expect(found.recount).toEqual(whole.recount);
        expect(found.failures?.total).toBe(whole.failures?.total);
        expect(found.plan).toEqual(whole.plan);
        expect(found.shards).toHaveLength(of);
        expect(found).not.toHaveProperty("tally");
        const boundMs = Math.max(found.clock?.boundMs ?? 0, whole.clock?.boundMs ?? 0);
        const untilMs = 2 * boundMs + 1;
        const isAlike = found.latencyMs.response?.until === whole.latencyMs.response?.until;
        expectSummary(
          found.latencyMs.response,
          whole.latencyMs.response,
          isAlike && !simulation.tellsTimes ? 0 : untilMs,
        );
        expectSummary(found.latencyMs.service, whole.latencyMs.service, simulation.tellsTimes ? untilMs : 0);
        expectSummary(found.latencyMs.startRpc, whole.latencyMs.startRpc, 0);
        expectSummary(found.latencyMs.slip, whole.latencyMs.slip, 0);
        expectSummary(found.latencyMs.server, whole.latencyMs.server, 0);
        const { orchestrationsPerSecond = 0 } = whole.throughput ?? {};
        const off = Math.abs((found.throughput?.orchestrationsPerSecond ?? 0) / orchestrationsPerSecond - 1);
        expect(off).toBeLessThan(simulation.tellsTimes ? 0.01 : 1e-9);
        expect(found.byOrchestration?.map(({ counts }) => counts)).toEqual(
          whole.byOrchestration?.map(({ counts }) => counts),
        );
        for (const [place, part] of found.byOrchestration!.entries()) {
          const expected = whole.byOrchestration![place]!;
          expectSummary(part.latencyMs.service, expected.latencyMs.service, untilMs);
          expectSummary(part.latencyMs.startRpc, expected.latencyMs.startRpc, 0);
          const [rate, wanted] = [part, expected].map(({ throughput }) => throughput!.orchestrationsPerSecond);
          expect(Math.abs(rate! / wanted! - 1)).toBeLessThan(simulation.tellsTimes ? 0.01 : 1e-9);
          expect(part).not.toHaveProperty("tally");
        }
        expect(startsOverTime(found)).toEqual(startsOverTime(whole));
        expect(found.phases?.map(({ started, completed }) => [started, completed])).toEqual(
          whole.phases?.map(({ started, completed }) => [started, completed]),
        );
        for (const [place, phase] of found.phases!.entries())
          expectSummary(phase.service, whole.phases![place]!.service, simulation.tellsTimes ? untilMs : 0);
        if (!simulation.tellsTimes) expect(found.series).toEqual(whole.series);
      }),
      { numRuns: 25 },
    );
  });
});

const simple: Simulation = {
  plan: {
    iterations: 1,
    parallelActivities: 3,
    load: {
      kind: "open",
      arrival: "constant",
      stages: [{ fromPerSecond: 50, toPerSecond: 50, lengthMs: 1_000 }],
      maxInFlight: 100,
    },
    seed: SEED,
    workers: 0,
    timeoutMs: 60_000,
  },
  meanMs: 20,
  failing: 0,
  tellsTimes: false,
};

test("starts that were due and never sent are those of the shards together, and of each orchestration", () => {
  const mixed = { ...simple, plan: { ...simple.plan, orchestrations: MIX } };
  const found = merged(shardsOf(mixed, 3, 500));
  const whole = resultOf(mixed, undefined, 500);
  const { unsent, orchestrations } = found.counts;
  expect(unsent).toBe(whole.counts.unsent);
  expect(unsent! + orchestrations.started).toBe(50);
  expect(found.byOrchestration?.map(({ counts }) => counts)).toEqual(
    whole.byOrchestration?.map(({ counts }) => counts),
  );
  expect(found.byOrchestration?.every(({ counts }) => counts.unsent! > 0)).toBe(true);
  expect(found.latencyMs.response).not.toHaveProperty("p50");
  expect(found.verdict?.reasons.map(({ text }) => text)).toContain(
    "shard 1 of 3: --max-in-flight held back 47.1 % of starts (limit 1 %): 8 of 17 were due and never sent",
  );
});

test("the verdict is the worst, and names the shard", () => {
  const [first, second] = shardsOf(simple, 2);
  const reason = { severity: "invalid", name: "clock-jump", text: "the clock jumped", advice: "wait" } as const;
  const found = merged([first!, { ...second!, verdict: { status: "invalid", reasons: [reason] } }]);
  expect(found.verdict).toEqual({
    status: "invalid",
    reasons: [{ ...reason, text: "shard 2 of 2: the clock jumped" }],
  });
});

test("the workers of one shard are those of the run", () => {
  const [first, second] = shardsOf(simple, 2) as [RunResult, RunResult];
  const environment = {
    ...second.environment,
    transport: "link",
    ownWorkers: 2,
    workers: { replay: "always" },
  } as const;
  const without = { ...first.environment, transport: "http2", ownWorkers: 0 } as const;
  const found = merged([
    { ...first, environment: without },
    { ...second, plan: { ...second.plan, workers: 2 }, environment },
  ]);
  expect(found.plan.workers).toBe(2);
  expect(found.environment).toMatchObject({ transport: "link", ownWorkers: 2, workers: { replay: "always" } });
});

test("the range of the clock holds the clock of every shard", () => {
  const [first, second] = shardsOf(simple, 2);
  const found = merged([
    { ...first!, clock: { offsetMs: 10, boundMs: 2, driftMs: 1 } },
    { ...second!, clock: { offsetMs: -5, boundMs: 1, driftMs: -3 } },
  ]);
  expect(found.clock).toEqual({ offsetMs: 3, boundMs: 9, driftMs: -3 });
});

/** As an older fanout wrote it. */
function withoutIdle(result: RunResult): RunResult {
  const { idle: _untold, ...tally } = result.tally!;
  return { ...result, tally };
}

function withIdle(result: RunResult, fromMs: number, toMs: number): RunResult {
  return { ...result, tally: { ...result.tally!, idle: [{ fromMs, toMs }] } };
}

test("a time in which every shard was stalled is a stall of the run", () => {
  const [first, second] = shardsOf(simple, 2);
  const stall = { inFlight: 3, offeredPerSecond: 5, rpcErrors: { UNAVAILABLE: 1 } };
  const stalls = [
    { fromMs: 300, lengthMs: 1_000, ...stall },
    { fromMs: 5_000, lengthMs: 600, ...stall },
  ];
  const long = { ...first!, durationMs: 9_000, stalls: [{ fromMs: 100, lengthMs: 900, ...stall }] };
  const both = { fromMs: 300, lengthMs: 700, inFlight: 6, offeredPerSecond: 10, rpcErrors: { UNAVAILABLE: 2 } };
  expect(merged([withoutIdle(long), { ...second!, stalls }]).stalls).toEqual([both]);
  expect(merged([withIdle(long, 1_500, 9_000), { ...second!, stalls }]).stalls).toEqual([both, stalls[1]]);
});

function example(rank: "median" | "slowest", wholeMs: number) {
  return { rank, instanceId: `run-${wholeMs}`, wholeMs, parts: [] };
}

describe("of what only a sample tells", () => {
  const [first, second] = shardsOf(simple, 2) as [RunResult, RunResult];
  const execute = { count: 4, mean: 10, p50: 9, max: 30 };
  const worker = { workerId: "w1", activities: 4, execute, turnaround: execute, clockOffsetMs: 5, clockBoundMs: 1 };

  test("a worker's activities add up, and its clock is in the range that holds that of every shard", () => {
    const other = { ...worker, activities: 12, execute: { count: 12, mean: 20, max: 25 }, clockOffsetMs: 8 };
    const found = merged([
      { ...first, workers: [worker, { ...worker, workerId: "w0" }] },
      { ...second, workers: [other] },
    ]);
    expect(found.workers).toEqual([
      { ...worker, workerId: "w0", execute: expect.anything(), turnaround: expect.anything() },
      {
        workerId: "w1",
        activities: 16,
        execute: { count: 16, mean: 17.5, max: 30 },
        turnaround: { count: 8, mean: 10, max: 30 },
        clockOffsetMs: 6.5,
        clockBoundMs: 2.5,
      },
    ]);
  });

  test("the slowest example is that of all, and the median is in the middle of the shards' medians", () => {
    const orchestrations = { traced: 2, completed: 2, failed: 0, terminated: 0, unfinished: 0, retried: 0 };
    const breakdown = (...examples: ReturnType<typeof example>[]) => ({ orchestrations, wholeMs: 5, examples });
    const found = merged([
      { ...first, breakdown: breakdown(example("median", 7), example("slowest", 8)) },
      { ...second, breakdown: breakdown(example("median", 3), example("slowest", 9)) },
    ]);
    expect(found.breakdown?.examples).toEqual([example("median", 3), example("slowest", 9)]);
  });
});

test("a shard whose generator died has counts and no latencies, so that no percentile hides it", () => {
  const [first, second] = shardsOf(simple, 2);
  const whole = merged([first!, second!]);
  expect(whole.latencyMs.service).toHaveProperty("p50");
  const [measured, dead] = shardsOfRun([
    { name: "1", result: first! },
    { name: "2", result: second! },
  ]);
  const { orchestrations } = dead!.counts;
  const { started, completed: lost, terminated, unfinished } = orchestrations;
  const counts = { ...dead!.counts, measured: { started, terminated, unfinished, lost } };
  const found = mergeShards([measured, { ...dead!, counts, died: "was ended by SIGKILL" }]);
  expect(found.counts.measured).toEqual({ started: 50, terminated: 0, unfinished: 0, lost });
  expect(found.latencyMs.service).not.toHaveProperty("p50");
  expect(found.shards).toMatchObject([{ number: 1 }, { number: 2, died: "was ended by SIGKILL" }]);
});

test("a shard that died with the figures of its orchestrations leaves them out of the whole", () => {
  const [first, second] = shardsOf({ ...simple, plan: { ...simple.plan, orchestrations: MIX } }, 2);
  expect(merged([first!, second!]).byOrchestration).toHaveLength(2);
  const { byOrchestration: _lost, ...dead } = second!;
  expect(merged([first!, dead])).not.toHaveProperty("byOrchestration");
});

test("the shards of an older fanout, which did not tell the measured starts apart, merge without them", () => {
  const old = shardsOf(simple, 2).map(({ counts: { measured: _untold, ...counts }, ...result }) => ({
    ...result,
    counts,
  }));
  const found = merged(old);
  expect(found.counts).not.toHaveProperty("measured");
  expect(found.latencyMs.service).toHaveProperty("p50");
});

function inputsOf(file: string, digit: string) {
  return { file, lines: 3, order: "cycle" as const, sha256: digit.repeat(64) };
}

function withInputs(result: RunResult, file: string, digit: string): RunResult {
  return { ...result, plan: { ...result.plan, inputs: inputsOf(file, digit) } };
}

function withMix(result: RunResult, file: string, digit: string): RunResult {
  const orchestrations = [{ orchestrator: "Order", weight: 1, inputs: inputsOf(file, digit) }];
  return { ...result, plan: { ...result.plan, orchestrations } };
}

test.each([withInputs, withMix])("a file of inputs is the same under another name: %o", (named) => {
  const [first, second] = shardsOf(simple, 2).map(({ byOrchestration: _none, ...result }) => result);
  const found = merged([
    named({ ...first!, plan: { ...first!.plan, planFile: "a.yaml" } }, "orders.jsonl", "a"),
    named({ ...second!, plan: { ...second!.plan, planFile: "b.yaml" } }, "mine.jsonl", "a"),
  ]);
  expect(JSON.stringify(found.plan)).toContain("orders.jsonl");
  expect(found.counts.orchestrations.started).toBe(50);
});

describe("results that are not all the shards of one run are refused by name", () => {
  const [first, second, third] = shardsOf(simple, 3) as [RunResult, RunResult, RunResult];
  const { shard: _shard, ...wholePlan } = first.plan;

  test.each<readonly [string, readonly RunResult[], string]>([
    ["none", [], "expected the results of all shards of a run, found none"],
    ["a missing one", [first, third], "expected all 3 shards of run run, found none of shard 2"],
    ["two missing ones", [second], "found none of shards 1, 3"],
    ["a doubled one", [first, second, second], "expected each shard once, found shard 2 in 2.json and in 3.json"],
    [
      "a whole run",
      [{ ...first, plan: wholePlan }],
      "1.json: expected the result of one shard, found that of a whole run",
    ],
    [
      "a merged one",
      [merged([first, second, third])],
      "1.json: expected the result of one shard, found one that is merged",
    ],
    [
      "another run",
      [first, { ...second, runId: "other" }, third],
      "found the run ids run and other in 1.json and in 2.json",
    ],
    [
      "another plan",
      [first, { ...second, plan: { ...second.plan, iterations: 2 } }, third],
      "expected one plan, found another value of plan.iterations in 1.json and in 2.json",
    ],
    [
      "another content of a file of inputs",
      [withInputs(first, "orders.jsonl", "a"), withInputs(second, "orders.jsonl", "b"), third],
      "expected the same inputs, found other contents in orders.jsonl (3 lines, SHA-256 aaaaaaaaaaaa...) of 1.json " +
        "and in orders.jsonl (3 lines, SHA-256 bbbbbbbbbbbb...) of 2.json",
    ],
    [
      "another content of a file of inputs in a mix",
      [withMix(first, "orders.jsonl", "a"), withMix(second, "orders.csv", "b"), third],
      "in orders.jsonl (3 lines, SHA-256 aaaaaaaaaaaa...) of 1.json and in orders.csv",
    ],
    [
      "inputs in one of them alone",
      [withInputs(first, "orders.jsonl", "a"), second, third],
      "found another value of plan.inputs in 1.json and in 2.json",
    ],
    [
      "another number of shards",
      [first, { ...second, plan: { ...second.plan, shard: { number: 2, of: 4 } } }, third],
      "expected one plan, found another value of plan.shard.of",
    ],
    [
      "another task hub",
      [first, { ...second, environment: { ...second.environment, taskHub: "other" } }, third],
      "found another value of environment.taskHub",
    ],
    [
      "another start",
      [first, { ...second, startedAt: new Date(STARTED_MS + 5_000).toISOString() }, third],
      "expected shards that began together, found 5 s between the first starts",
    ],
  ])("%s", (_what, results, message) => {
    expect(() => merged(results)).toThrow(message);
  });
});

test("a closed load has the number in flight of all shards", () => {
  const plan: ResultPlan = { ...simple.plan, load: { kind: "closed", total: 50 }, parallelOrchestrations: 5 };
  const shards = [1, 2].map((number): RunResult => {
    const result = resultOf(simple, { number, of: 2 });
    return { ...result, plan: { ...plan, shard: { number, of: 2 } } };
  });
  const found = merged(shards);
  expect(found.concurrency?.planned).toBe(5);
  expect(found.counts.planned).toBe(50);
  expect(partOf(5, { number: 1, of: 2 }) + partOf(5, { number: 2, of: 2 })).toBe(5);
});
