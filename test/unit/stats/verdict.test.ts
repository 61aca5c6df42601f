import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LatencySummary, RunResult, Verdict } from "../../../src/result/run-result.js";
import { verdictOf } from "../../../src/stats/verdict.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";
import { openLoadOf, type Measured } from "../../support/stats/run-of-lives.js";

const RANK = { valid: 0, suspect: 1, invalid: 2 } as const;

const load = openLoadOf(50, 60_000);
const calm = { heldBack: 0, slipMs: latencyOf(1), eventLoopDelayMs: latencyOf(2), clockJumpMs: 1 };
/** A minute at 50/s in which all went well, with a service time of 40 ms. */
const open: Measured = {
  ...sampleResult,
  durationMs: 60_000,
  plan: { ...sampleResult.plan, load },
  counts: {
    ...sampleResult.counts,
    orchestrations: { started: 3_000, completed: 3_000, failed: 0, terminated: 0, unfinished: 0 },
  },
  latencyMs: { service: latencyOf(40) },
  generator: { ...calm, cpu: { machine: 0.5, generator: 0.1 } },
};

function latencyOf(ms: number): Required<LatencySummary> {
  return { count: 20_000, mean: ms, p50: ms, p90: ms, p95: ms, p99: ms, p999: ms, max: ms };
}

/** Of a sample that carries no p99. */
function p90Of(ms: number): LatencySummary {
  return { count: 500, mean: ms, p50: ms, p90: ms, max: 1_000 };
}

function withGenerator(generator: Partial<NonNullable<RunResult["generator"]>>, of: Measured = open): Measured {
  return { ...of, generator: { ...calm, ...generator } };
}

/** Whose p99 of the response time has so much of the slip in it, as a share. */
function withSlip(share: number, responseMs = 400): Measured {
  return {
    ...withGenerator({ slipShare: { mean: 0.01, p50: 0.02, p99: share } }),
    latencyMs: { service: latencyOf(40), response: latencyOf(responseMs) },
  };
}

/** Workers that say these versions. */
function withVersions(...versions: readonly (string | undefined)[]): Measured {
  const workers = versions.map((version, index) => ({
    workerId: `host-${index}`,
    activities: 5,
    ...(version !== undefined && { version }),
  }));
  return { ...open, workers };
}

function withLag(lagMs: number, boundMs?: number): Measured {
  const detectionLag = { ...latencyOf(lagMs), ...(boundMs !== undefined && { boundMs }) };
  return { ...closedLoadResult, latencyMs: { service: latencyOf(200), detectionLag } };
}

function withCpu(machine: number, of: Measured = open): Measured {
  return withGenerator({ cpu: { machine, generator: 0.2 } }, of);
}

/** With work of others on the hub, of load tests and not. */
function withWork({ foreign = 0, ofRuns = 0, ownWorkers }: { foreign?: number; ofRuns?: number; ownWorkers: number }) {
  const orchestrators = foreign > 0 ? [{ name: "BillingOrder", unfinished: foreign }] : [];
  const hub = {
    unfinished: foreign + ofRuns,
    more: false,
    runs: [],
    foreign: { unfinished: foreign, orchestrators },
  };
  return { ...open, environment: { ...open.environment, ownWorkers, hub } };
}

function namesOf({ reasons }: Verdict): readonly string[] {
  return reasons.map(({ name }) => name);
}

const remote: RunResult["environment"] = {
  ...sampleResult.environment,
  backend: { kind: "scheduler", name: "a scheduler" },
  ownWorkers: 0,
};

describe("each limit", () => {
  test.each([
    ["slip", "suspect", withSlip(0.05), withSlip(0.051)],
    ["slip", "suspect", withSlip(0.06, 16), withSlip(0.06, 17)],
    ["offered-rate", "invalid", withGenerator({ slipGrowthMs: 606 }), withGenerator({ slipGrowthMs: 607 })],
    ["held-back", "invalid", withGenerator({ heldBack: 30 }), withGenerator({ heldBack: 31 })],
    [
      "event-loop",
      "invalid",
      withGenerator({ eventLoopDelayMs: latencyOf(50) }),
      withGenerator({ eventLoopDelayMs: latencyOf(50.1) }),
    ],
    [
      "event-loop",
      "invalid",
      withGenerator({ eventLoopDelayMs: p90Of(50) }),
      withGenerator({ eventLoopDelayMs: p90Of(50.1) }),
    ],
    ["clock-jump", "invalid", withGenerator({ clockJumpMs: 100 }), withGenerator({ clockJumpMs: 100.1 })],
    ["cpu", "suspect", withCpu(0.9), withCpu(0.901)],
    ["shared-workers", "suspect", withWork({ foreign: 3, ownWorkers: 2 }), withWork({ foreign: 3, ownWorkers: 0 })],
    ["shared-workers", "suspect", withWork({ ofRuns: 0, ownWorkers: 2 }), withWork({ ofRuns: 1, ownWorkers: 2 })],
    ["detection-lag", "suspect", withLag(10), withLag(10.1)],
    ["detection-lag", "suspect", withLag(12, 2), withLag(12.1, 2)],
  ] as const)("of %s makes a run %s beyond it and not at it", (name, status, at, beyond) => {
    expect(verdictOf(at)).toEqual({ status: "valid", reasons: [] });
    expect(verdictOf(beyond)).toMatchObject({ status, reasons: [{ severity: status, name }] });
  });

  test("of a share of slip makes a run invalid where a figure is wrong by more than a tenth, and suspect before", () => {
    expect(verdictOf(withSlip(0.1)).status).toBe("suspect");
    expect(verdictOf(withSlip(0.101)).status).toBe("invalid");
  });

  test("of a process that was late makes a run suspect where that is less than a tenth of its longest latencies", () => {
    const late = withGenerator({ eventLoopDelayMs: latencyOf(60) });
    expect(verdictOf({ ...late, latencyMs: { service: latencyOf(600) } }).status).toBe("suspect");
    expect(verdictOf({ ...late, latencyMs: { service: latencyOf(599) } }).status).toBe("invalid");
  });

  test("leaves a run valid whose slip is little of each figure, although it is much of the median service time", () => {
    const slipMs = { ...latencyOf(1), p99: 5.6, max: 30 };
    const response = { ...latencyOf(44), p99: 401, p999: 500 };
    const generator = { slipMs, slipShare: { mean: 0.02, p50: 0.02, p99: 0.004 } };
    expect(verdictOf({ ...withGenerator(generator), latencyMs: { service: latencyOf(42), response } })).toEqual({
      status: "valid",
      reasons: [],
    });
  });

  test("is reported with the measured value, and with what to change", () => {
    const all = [
      withSlip(0.0634),
      withSlip(0.3),
      withGenerator({ slipGrowthMs: 3_000 }),
      withGenerator({ heldBack: 100 }),
      withGenerator({ eventLoopDelayMs: latencyOf(1_234) }),
      withGenerator({ clockJumpMs: 3_600_000 }),
      withCpu(0.934),
      withWork({ ofRuns: 1, ownWorkers: 2 }),
      withWork({ foreign: 3, ofRuns: 2, ownWorkers: 0 }),
      withVersions("1.2.0", "1.10.0", undefined, "1.2.0"),
      withLag(14),
    ];
    expect(all.flatMap((result) => verdictOf(result).reasons.map(({ text }) => text))).toEqual([
      "late starts of this process are 6.34 % of the response time at p99 (limit 5 %)",
      "late starts of this process are 30 % of the response time at p99 (limit 10 %)",
      "this process fell behind its schedule by 3 s, so it offered 4.76 % less than the plan (limit 1 %)",
      "--max-in-flight held back 3.33 % of starts (limit 1 %)",
      "this process was up to 1.23 s late for its own timers at p99 (limit 50 ms)",
      "this machine's clock jumped by 1h (limit 100 ms)",
      "the machine was 93.4 % busy (limit 90 %), 20 % with this process",
      "other work shared the workers: 1 unfinished instance on the task hub when the run began",
      "other work shared the workers: 5 unfinished instances on the task hub when the run began, 3 of them not of a load test",
      "workers of different versions of fanout took part: 1.10.0 (1), 1.2.0 (2)",
      "completions were noticed 14 ms late at the median (limit 10 ms), so less was in flight than asked for",
    ]);
    for (const { advice } of all.flatMap((result) => verdictOf(result).reasons))
      expect(advice).toMatch(/^[a-z].*\w\)?$/u);
  });

  test("counts alone, and the most serious reason decides", () => {
    const verdict = verdictOf({
      ...withCpu(0.99),
      generator: { ...calm, heldBack: 40, cpu: { machine: 1, generator: 1 } },
    });
    expect(verdict.status).toBe("invalid");
    expect(namesOf(verdict)).toEqual(["held-back", "cpu"]);
  });
});

describe("no reason is given", () => {
  const busy = { cpu: { machine: 1, generator: 0.5 } };
  const late = { heldBack: 0, slipMs: { count: 1, mean: 900, max: 900 } };
  const one = { started: 1, completed: 1, failed: 0, terminated: 0, unfinished: 0 };
  test.each<[string, Measured]>([
    [
      "of a newcomer's run: one orchestration, a second, all cores busy, the process late",
      {
        ...sampleResult,
        durationMs: 1_000,
        plan: { ...sampleResult.plan, parallelOrchestrations: 1, load: { kind: "once" } },
        counts: { ...sampleResult.counts, orchestrations: one },
        generator: { ...late, ...busy, eventLoopDelayMs: { count: 50, mean: 30, p50: 8, max: 180 }, clockJumpMs: 0.4 },
      },
    ],
    ["where all start at once, and most leave late", { ...withSlip(0.9), plan: sampleResult.plan }],
    [
      "in closed load, whose starts are due when they leave",
      withGenerator({ slipMs: latencyOf(99), slipShare: { p50: 1 }, slipGrowthMs: 9_000 }, closedLoadResult),
    ],
    ["of a result of before there was a generator's health", { ...sampleResult }],
    ["where neither backend nor workers share the busy machine", { ...withCpu(1), environment: remote }],
    ["of a machine that was busy for less than five seconds", { ...withCpu(1), durationMs: 4_999 }],
    ["where all workers that say their version say the same", withVersions("1.2.0", undefined, "1.2.0")],
    ["of a slow notice in open load", { ...withLag(100), plan: open.plan }],
    ["where the lag is not known closely enough to say", withLag(100, 95)],
    [
      "where the lag has no median",
      { ...closedLoadResult, latencyMs: { service: latencyOf(1), detectionLag: { count: 9, mean: 9, max: 9 } } },
    ],
  ])("%s", (_, result) => {
    expect(verdictOf(result)).toEqual({ status: "valid", reasons: [] });
  });
});

test("a busy machine counts where it has the workers of a remote backend, or the emulator alone", () => {
  for (const environment of [
    { ...remote, ownWorkers: 1 },
    { ...sampleResult.environment, ownWorkers: 0 },
  ])
    expect(namesOf(verdictOf({ ...withCpu(0.95), environment }))).toEqual(["cpu"]);
});

test("a run whose rate changes has no trend and no backlog, however it goes", () => {
  expect(namesOf(verdictOf(openLoadResult))).toEqual(["cpu"]);
});

interface Figures {
  readonly slip: number;
  readonly delay: number;
  readonly jump: number;
  readonly held: number;
  readonly machine: number;
}

function verdictOn({ slip, delay, jump, held, machine }: Figures): Verdict {
  return verdictOf(
    withGenerator({
      heldBack: held,
      slipMs: latencyOf(slip),
      slipShare: { p99: slip / 1_000 },
      slipGrowthMs: slip,
      eventLoopDelayMs: latencyOf(delay),
      clockJumpMs: jump,
      cpu: { machine, generator: 0 },
    }),
  );
}

test("a worse measurement never improves the verdict", () => {
  const ms = fc.double({ min: 0, max: 1_000, noNaN: true });
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const figures = fc.record({ slip: ms, delay: ms, jump: ms, held: fc.integer({ min: 0, max: 300 }), machine: share });
  fc.assert(
    fc.property(
      figures,
      fc.constantFrom("slip", "delay", "jump", "held", "machine" as const),
      ms,
      (better, name, more) => {
        const worse = { ...better, [name]: better[name] + more };
        expect(RANK[verdictOn(worse).status]).toBeGreaterThanOrEqual(RANK[verdictOn(better).status]);
        expect(namesOf(verdictOn(worse))).toEqual(expect.arrayContaining([...namesOf(verdictOn(better))]));
      },
    ),
  );
});
