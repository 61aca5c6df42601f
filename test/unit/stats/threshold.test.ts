import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { FIGURE_NAMES, figureOf, nameInMix } from "../../../src/result/figure.js";
import { LatencyHistogram } from "../../../src/stats/latency-histogram.js";
import type { LatencySummary, RunResult } from "../../../src/result/run-result.js";
import { judge, kindOfThreshold, parseThreshold } from "../../../src/stats/threshold.js";
import { mixedResult } from "../../support/report/mixed-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

const OPERATORS = ["<", "<=", ">", ">="] as const;
const STATISTICS = ["p50", "p90", "p95", "p99", "p999", "max", "mean"] as const;
const LATENCIES = ["response", "service", "startRpc", "slip", "server", "detectionLag"] as const;

const latency = (first: number): LatencySummary => ({
  count: 20_000,
  p50: first + 1,
  p90: first + 2,
  p95: first + 3,
  p99: first + 4,
  p999: first + 5,
  max: first + 6,
  mean: first + 7,
});

/** Every figure a value of its own, so that a name that reads another one is found out. */
const full = fullResult();

function fullResult(): RunResult {
  return {
    ...sampleResult,
    durationMs: 61,
    counts: {
      orchestrations: { started: 20_000, completed: 19_987, failed: 13, terminated: 0, unfinished: 0 },
      warmup: 74,
      activities: { needed: 71, completed: 72, reExecuted: 75 },
      actions: 73,
      rpcErrors: { UNAVAILABLE: 3, DEADLINE_EXCEEDED: 4 },
    },
    throughput: {
      makespanMs: 81,
      windowMs: 85,
      orchestrationsPerSecond: 82,
      activitiesPerSecond: 83,
      actionsPerSecond: 84,
    },
    latencyMs: {
      response: { ...latency(10), until: "completed", boundMs: 0.5 },
      service: latency(20),
      startRpc: latency(30),
      slip: latency(40),
      server: latency(50),
      detectionLag: latency(60),
    },
    stalls: [2_040, 3_100, 1_000].map((lengthMs) => ({
      fromMs: 1,
      lengthMs,
      inFlight: 1,
      offeredPerSecond: 1,
      rpcErrors: {},
    })),
    generator: {
      heldBack: 91,
      slipMs: latency(100),
      eventLoopDelayMs: latency(110),
      clockJumpMs: 92,
      cpu: { machine: 0.93, generator: 0.21 },
    },
    clock: { offsetMs: -5, boundMs: 94, driftMs: -6 },
    concurrency: { planned: 10, effective: 9.8 },
    noticing: { WaitForInstance: 5, ListInstanceIds: 6 },
    recount: {
      instances: 95,
      byStatus: {},
      lost: { total: 96, first: [] },
      unexpected: { total: 97, first: [] },
    },
    failures: { total: 13, first: [] },
  };
}

const judgeText = (expression: string, changes: Partial<RunResult> = {}) =>
  judge(parseThreshold(expression), { ...full, ...changes });

function counts(changes: Partial<RunResult["counts"]["orchestrations"]>): Pick<RunResult, "counts"> {
  const orchestrations = { started: 200, completed: 200, failed: 0, terminated: 0, unfinished: 0, ...changes };
  return { counts: { ...full.counts, orchestrations } };
}

function failureOf(expression: string): string {
  try {
    parseThreshold(expression);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error instanceof Error ? error.message : "";
  }
  throw new Error(`Expected ${expression} to be refused`);
}

describe("a threshold is about", () => {
  const latencies = LATENCIES.flatMap((latency, index) =>
    STATISTICS.flatMap((statistic, place): [string, number][] => {
      const value = 10 * (index + 1) + place + 1;
      const named: [string, number][] = [
        [`${latency} ${statistic}<1ms`, value],
        [`latencyMs.${latency}.${statistic}<1ms`, value],
      ];
      return latency === "response" ? [[`${statistic}<1ms`, value], ...named] : named;
    }),
  );
  test.each<[string, number]>([
    ...latencies,
    ["latencyMs.slip.count<1", 20_000],
    ["errors<1%", 0.000_65],
    ["duration<1s", 61],
    ["durationMs<1s", 61],
    ["orchestrations/s>1", 82],
    ["activities/s>1", 83],
    ["actions/s>1", 84],
    ["throughput.makespanMs<1m", 81],
    ["throughput.activitiesPerSecond>1", 83],
    ["rpcErrors<1", 7],
    ["counts.rpcErrors.UNAVAILABLE<1", 3],
    ["counts.rpcErrors.INTERNAL<1", 0],
    ["counts.orchestrations.failed<1", 13],
    ["counts.activities.completed>1", 72],
    ["counts.actions>1", 73],
    ["failures.total<1", 13],
    ["stuck.total<1", 0],
    ["environment.ownWorkers>=2", 2],
    ["environment.hub.unfinished<1", 0],
    ["latencyMs.response.boundMs<1ms", 0.5],
    ["throughput.windowMs<1m", 85],
    ["counts.warmup<1", 74],
    ["counts.activities.reExecuted<1", 75],
    ["stalls<1", 3],
    ["longest stall<1s", 3_100],
    ["noticing<1", 11],
    ["generator.heldBack<1", 91],
    ["generator.slipMs.p99<1ms", 104],
    ["generator.eventLoopDelayMs.max<1ms", 116],
    ["generator.clockJumpMs<1ms", 92],
    ["generator.cpu.machine<90%", 0.93],
    ["generator.cpu.generator<=0", 0.21],
    ["clock.boundMs<1ms", 94],
    ["concurrency.effective>9.5", 9.8],
    ["recount.instances>1", 95],
    ["recount.lost.total<1", 96],
    ["recount.unexpected.total<1", 97],
  ])("%s: %d", (expression, value) => {
    expect(judgeText(expression).value).toBe(value);
  });

  test("stalls that a run over time does not have, which are none", () => {
    const { stalls: _stalls, ...unstalled } = full;
    expect(judge(parseThreshold("stalls<1"), { ...unstalled, series: [] })).toMatchObject({ value: 0, passed: true });
    expect(judge(parseThreshold("longest stall<1s"), { ...unstalled, series: [] })).toMatchObject({ value: 0 });
    expect(judge(parseThreshold("stalls<1"), unstalled)).toMatchObject({ reason: "not judged, it was not measured" });
  });

  test("any of the names that are known, each once, with a kind", () => {
    expect(FIGURE_NAMES).toEqual(expect.arrayContaining(["queue p90", "execute mean", "share.execute", "share.slip"]));
    expect(new Set(FIGURE_NAMES).size).toBe(FIGURE_NAMES.length);
    expect(FIGURE_NAMES.filter((name) => kindOfThreshold(`${name}<1`) === undefined)).toEqual([]);
    expect(kindOfThreshold("p9x<1ms")).toBeUndefined();
  });
});

describe("a bound", () => {
  test.each([
    ["p99<500ms", 500],
    ["p99<0.5ms", 0.5],
    ["p99<2s", 2_000],
    ["p99 < 1.5 s", 1_500],
    ["duration<=1m", 60_000],
    ["errors<0.1%", 0.001],
    ["errors<0.001", 0.001],
    ["errors<=100%", 1],
    ["errors>=0", 0],
    ["activities/s>1000", 1_000],
    ["activities/s>1,000", 1_000],
    ["activities/s>1.5k", 1_500],
    ["counts.actions>=2M", 2_000_000],
    [" rpcErrors \t<\n 1 ", 1],
  ])("in %j is %d", (expression, bound) => {
    expect(parseThreshold(expression).bound).toBe(bound);
  });

  test.each([
    ["p99<500", 'expected a duration with its unit, such as 500ms, 2s or 1m, found "500"'],
    ["p99<5%", 'expected a duration with its unit, such as 500ms, 2s or 1m, found "5%"'],
    ["p99<5h", 'expected a duration with its unit, such as 500ms, 2s or 1m, found "5h"'],
    ["p99<-5ms", 'expected a duration with its unit, such as 500ms, 2s or 1m, found "-5ms"'],
    ["errors<5ms", 'expected a share such as 0.1% or 0.001, found "5ms"'],
    ["errors<5", 'expected a share such as 0.1% or 0.001, found "5"'],
    ["errors<101%", 'expected a share such as 0.1% or 0.001, found "101%"'],
    ["activities/s>5ms", 'expected a number such as 1, 1,000 or 10k, found "5ms"'],
    ["activities/s>1,00", 'expected a number such as 1, 1,000 or 10k, found "1,00"'],
    ["rpcErrors<1%", 'expected a number such as 1, 1,000 or 10k, found "1%"'],
    [`rpcErrors<${"9".repeat(400)}`, "expected a number"],
    ["errors<=0%", 'expected a share above 0, found "0%"; no sample shows that there never are any'],
  ])("that is wrong is refused: %s", (expression, message) => {
    expect(failureOf(expression)).toContain(`--threshold '${expression}': ${message}`);
  });
});

describe("an expression", () => {
  test.each([
    "",
    "p99",
    "p99 500ms",
    "p99=500ms",
    "p99==500ms",
    "p99=<500ms",
    "p99<>500ms",
    "p99<",
    "<500ms",
    "p99<500ms<1s",
    "p99!=5ms",
  ])("without figure, operator or bound is refused: %j", (expression) => {
    expect(failureOf(expression)).toBe(
      `--threshold '${expression}': expected a figure, one of < <= > >= and a bound, in quotes, such as 'p99<500ms', ` +
        `found "${expression}"`,
    );
  });

  test.each([
    ["p9x<1ms", "p90"],
    ["P99<1ms", "p99"],
    ["error<1%", "errors"],
    ["activities>1", "activities/s"],
    ["services p99<1ms", "service p99"],
    ["start rpc p99<1ms", "startRpc p99"],
    ["latencyMs.server.p9x<1ms", "latencyMs.server.p90"],
    ["counts.orchestrations.fail<1", "counts.orchestrations.failed"],
    ["counts.rpcErrors.UNAVALABLE<1", "counts.rpcErrors.UNAVAILABLE"],
    ["counts.rpcErrors.constructor<1", "counts.rpcErrors."],
    ["plan.iterations<1", ""],
    ["constructor<1", ""],
  ])("about an unknown figure is refused: %s, with the hint %j", (expression, suggestion) => {
    const message = failureOf(expression);
    expect(message).toContain(`--threshold '${expression}': expected a figure such as p99, errors, activities/s or`);
    expect(message).toContain(`; did you mean ${suggestion}`);
  });

  test("keeps how it was written, spaces aside", () => {
    expect(judgeText("  service  p99 <\n1s ")).toEqual({ expression: "service p99 < 1s", value: 24, passed: true });
  });
});

describe("a threshold that cannot be judged is missed, with a reason", () => {
  const few = { latencyMs: { response: { count: 30, mean: 1, p50: 1, max: 1 } } };
  const closed: Partial<RunResult> = {
    plan: { ...full.plan, load: { kind: "closed", durationMs: 60_000 } },
    latencyMs: { service: latency(20) },
  };
  test.each<[string, Partial<RunResult>, string]>([
    ["p99<1s", few, "not judged, 30 samples do not carry it"],
    ["p99>0ms", few, "not judged, 30 samples do not carry it"],
    ["p50<1s", { latencyMs: { response: { count: 1, mean: 1, max: 1 } } }, "not judged, 1 sample does not carry it"],
    [
      "p50<1s",
      {
        ...counts({ completed: 1_200, started: 2_500, unfinished: 1_300 }),
        latencyMs: { response: { count: 1_200, mean: 1, max: 1 } },
      },
      "not judged, 1,200 samples do not carry it with 1,300 of 2,500 orchestrations cut off",
    ],
    ["p99<1s", { ...counts({ started: 0, completed: 0 }), latencyMs: {} }, "not judged, no orchestration was started"],
    ["errors<1%", counts({ started: 0, completed: 0 }), "not judged, no orchestration was started"],
    ["max<1s", { ...counts({ completed: 0, failed: 200 }), latencyMs: {} }, "not judged, no orchestration completed"],
    ["server p50<1s", { latencyMs: few.latencyMs }, "not judged, it was not measured"],
    ["environment.hub.unfinished<1", environment({ unknown: "it did not answer" }), "not judged, it was not measured"],
    ["latencyMs.response.boundMs<1ms", few, "not judged, it was not measured"],
    [
      "recount.lost.total<1",
      { recount: { unknown: "no answer" } },
      "not judged, the instances were not counted again: no answer",
    ],
    ["p99<500ms", closed, "not judged, closed load has no response time: use 'service p99<500ms'"],
    ["response p99 <= 1s", closed, "not judged, closed load has no response time: use 'service p99 <= 1s'"],
    ["latencyMs.response.p50>1ms", closed, "not judged, closed load has no response time: use 'service p50>1ms'"],
    [
      "latencyMs.response.count>1",
      closed,
      "not judged, closed load has no response time: use 'latencyMs.service.count>1'",
    ],
    ["slip p99<500ms", closed, "not judged, it was not measured"],
  ])("%s", (expression, changes, reason) => {
    expect(judgeText(expression, changes)).toEqual({ expression, passed: false, reason });
  });

  test.each<[string, Partial<RunResult>, number, string]>([
    ["errors<0.1%", counts({}), 0, "not judged, it takes 3,000 orchestrations, not 200"],
    ["errors<=1%", counts({}), 0, "not judged, it takes 300 orchestrations, not 200"],
    [
      "max<1s",
      counts({ completed: 195, terminated: 5 }),
      16,
      "not judged, with 5 of 200 orchestrations cut off, which may be the slowest",
    ],
    [
      "server mean<1s",
      counts({ completed: 199, unfinished: 1 }),
      57,
      "not judged, with 1 of 200 orchestrations cut off, which may be the slowest",
    ],
    ["p50<1s", { interrupted: true }, 11, "not judged, the run was interrupted"],
    ["p50<1s", { verdict: { status: "invalid", reasons: [] } }, 11, "not judged, the measurement is invalid"],
    ["p50<1ms", { verdict: { status: "invalid", reasons: [] } }, 11, "not judged, the measurement is invalid"],
  ])("%s, with the measured value", (expression, changes, value, reason) => {
    expect(judgeText(expression, changes)).toEqual({ expression, value, passed: false, reason });
  });

  test.each([
    ["errors<1.5%", counts({}), true],
    ["errors<30%", counts({ started: 10, completed: 10 }), true],
    ["errors<30%", counts({ started: 9, completed: 9 }), false],
    ["errors<0.0192%", counts({ started: 15_625, completed: 15_625 }), true],
    ["errors<0.0192%", counts({ started: 15_624, completed: 15_624 }), false],
    ["errors<1%", counts({ completed: 100, failed: 100 }), false],
    ["slip max<1s", counts({ completed: 195, unfinished: 5 }), true],
    ["startRpc p99<1s", counts({ completed: 195, unfinished: 5 }), true],
    ["generator.cpu.machine<95%", counts({ started: 2, completed: 2 }), true],
    ["p99<1s", { verdict: { status: "suspect", reasons: [] } }, true],
  ] as const)("%s is judged where the sample is enough for it: %j", (expression, changes, passed) => {
    expect(judgeText(expression, changes)).toMatchObject({ passed });
  });

  test("a threshold that is plainly missed needs no reason", () => {
    const failed = counts({ completed: 100, failed: 100 });
    expect(judgeText("errors<0.1%", failed)).toEqual({ expression: "errors<0.1%", value: 0.5, passed: false });
  });
});

/** A result of a run that went to its end, with figures that any sample may have left out. */
const results: fc.Arbitrary<RunResult> = fc
  .record({
    completed: fc.nat(50_000),
    failed: fc.nat(50),
    unfinished: fc.oneof(fc.constant(0), fc.nat(50)),
    ms: fc.array(fc.option(fc.double({ min: 0, max: 10_000, noNaN: true }), { nil: undefined }), {
      minLength: 4,
      maxLength: 4,
    }),
    mean: fc.double({ min: 0, max: 10_000, noNaN: true }),
    throughput: fc.option(fc.double({ min: 0, max: 10_000, noNaN: true }), { nil: undefined }),
  })
  .map(({ completed, failed, unfinished, ms, mean, throughput: rate }) => {
    const named = STATISTICS.slice(0, 4).flatMap((name, index) => (ms[index] === undefined ? [] : [[name, ms[index]]]));
    const response: LatencySummary = { count: completed, mean, max: mean, ...Object.fromEntries(named) };
    const { throughput: _throughput, ...rest } = full;
    return {
      ...rest,
      ...counts({ started: completed + failed + unfinished, completed, failed, unfinished }),
      latencyMs: { response },
      ...(rate !== undefined && {
        throughput: { makespanMs: 1, orchestrationsPerSecond: rate, activitiesPerSecond: rate, actionsPerSecond: rate },
      }),
    };
  });

/** Expressions as a function of their bound. */
const figures = fc.constantFrom(
  ...STATISTICS.map((statistic) => ({ name: statistic as string, unit: "ms" })),
  { name: "server p50", unit: "ms" },
  { name: "errors", unit: "%" },
  { name: "activities/s", unit: "" },
  { name: "counts.orchestrations.failed", unit: "" },
);
const bounds = fc
  .oneof(fc.integer({ min: 1, max: 100 }), fc.double({ min: 0.001, max: 100, noNaN: true }))
  .map((bound) => Number(bound.toFixed(3)));

describe("of any result and any bound", () => {
  test("passing is a plain comparison, and what is absent never passes", () => {
    fc.assert(
      fc.property(
        results,
        figures,
        fc.constantFrom(...OPERATORS),
        bounds,
        (result, { name, unit }, operator, bound) => {
          const threshold = parseThreshold(`${name}${operator}${bound}${unit}`);
          const { value, passed, reason } = judge(threshold, result);
          const limit = threshold.bound;
          const holds =
            value !== undefined &&
            { "<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit }[operator];
          const { started, unfinished } = result.counts.orchestrations;
          const carried =
            !(name === "errors" && operator.startsWith("<") && started * limit < 3 - 1e-9) &&
            !((name === "max" || name === "mean") && unfinished > 0);
          expect(passed).toBe(holds && carried);
          expect(reason === undefined).toBe(value !== undefined && (!holds || carried));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("loosening the bound never turns a pass into a miss", () => {
    fc.assert(
      fc.property(
        results,
        figures,
        fc.constantFrom(...OPERATORS),
        fc.tuple(bounds, bounds),
        (result, { name, unit }, operator, two) => {
          const [less, more] = [Math.min(...two), Math.max(...two)];
          const [tight, loose] = operator.startsWith("<") ? [less, more] : [more, less];
          const passes = (bound: number) => judge(parseThreshold(`${name}${operator}${bound}${unit}`), result).passed;
          expect(passes(loose) || !passes(tight)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("an interrupted run never passes, nor does an invalid one", () => {
    fc.assert(
      fc.property(
        results,
        figures,
        fc.constantFrom(...OPERATORS),
        bounds,
        (result, { name, unit }, operator, bound) => {
          const threshold = parseThreshold(`${name}${operator}${bound}${unit}`);
          expect(judge(threshold, { ...result, interrupted: true }).passed).toBe(false);
          expect(judge(threshold, { ...result, verdict: { status: "invalid", reasons: [] } }).passed).toBe(false);
        },
      ),
    );
  });
});

function environment(hub: RunResult["environment"]["hub"]): Pick<RunResult, "environment"> {
  return { environment: { ...full.environment, hub } };
}

describe("any percentile", () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 1_000; ms += 1) histogram.add(ms);
  const of = (unfinished: number): RunResult => ({
    ...sampleResult,
    counts: {
      ...sampleResult.counts,
      orchestrations: { started: 1_000 + unfinished, completed: 1_000, failed: 0, terminated: 0, unfinished },
    },
    latencyMs: { service: histogram.summary()! },
    histograms: { service: histogram.encoded()! },
  });

  test.each([
    ["service p97.5<1s", 975],
    ["service p75<1s", 750],
    ["latencyMs.service.p33.3<1s", 333],
    ["service p95<1s", 950],
  ])("%s is read from the histogram", (expression, ms) => {
    const { value, passed } = judge(parseThreshold(expression), of(0));
    expect(passed).toBe(true);
    expect(value! / ms).toBeCloseTo(1, 2);
  });

  test.each([
    ["service p99.5<1s", 0],
    ["service p97.5<1s", 26],
    ["p97.5<1s", 0],
  ])("%s is not judged where the sample does not carry it, with %i unfinished", (expression, unfinished) => {
    expect(judge(parseThreshold(expression), of(unfinished))).toMatchObject({ passed: false, reason: /not judged/u });
  });

  test.each(["p0<1s", "p100<1s", "p99.9999<1s", "nothing p97.5<1s"])("%s is refused", (expression) => {
    expect(() => parseThreshold(expression)).toThrow("expected a figure");
  });
});

describe("a threshold of one orchestration of a mix", () => {
  const mix = mixedResult.plan.orchestrations!;

  test.each([
    ["Order service p99<105ms", 104, true],
    ["Order service p99<104ms", 104, false],
    ["Refund, late service p99<1s", 204, true],
    ["Refund, late latencyMs.service.mean<1s", 201, true],
    ["service p99<1s", 310, true],
    ["Order errors<1%", 0, true],
    ["Refund, late errors<1%", 10 / 750, false],
    ["Refund, late counts.orchestrations.failed<1", 10, false],
    ["Order orchestrations/s>37", 37.5, true],
  ])("%s is judged by its figures", (expression, value, passed) => {
    expect(judge(parseThreshold(expression, mix), mixedResult)).toEqual({ expression, value, passed });
    expect(kindOfThreshold(expression)).toBeDefined();
  });

  test.each([
    ["Order errors<0.1%", /it takes 3,000 orchestrations, not 2,250/u],
    ["Refund, late service p999<1s", /740 samples do not carry it/u],
  ])("%s is not judged by a sample that is too small", (expression, reason) => {
    const { passed, reason: found } = judge(parseThreshold(expression, mix), mixedResult);
    expect({ passed, found }).toEqual({ passed: false, found: expect.stringMatching(reason) as string });
  });

  test.each(["Order rpcErrors<1", "Order queue p50<1s", "Order activities/s>1", "Order stalls<1", "Order duration<1m"])(
    "%s is refused, as it is not measured of each",
    (expression) => {
      expect(() => parseThreshold(expression, mix)).toThrow(/expected a figure/u);
    },
  );

  test.each([
    ["queue p99<2s", ["queue"], "'breakdown.phases.queue.each.p99' and '\"queue\" p99'"],
    ["service p99<2s", ["service"], "'latencyMs.service.p99' and '\"service\" p99'"],
    ["server p97.5<2s", ["server"], "'latencyMs.server.p97.5' and '\"server\" p97.5'"],
    ["Order service p99<2s", ["Order", "Order service"], `'"Order" service p99' and '"Order service" p99'`],
  ])("is refused if the plan has two figures of the name: %s", (expression, names, figures) => {
    const plan = names.map((orchestrator) => ({ orchestrator }));
    expect(() => parseThreshold(expression, plan)).toThrow(
      `expected a name that only one figure has, found "${expression.slice(0, -3)}"; the plan has two: ${figures}`,
    );
    const meant = [...figures.matchAll(/'([^']+)'/gu)].map(([, figure = ""]) => parseThreshold(`${figure}<2s`, plan));
    expect(new Set(meant.map(({ figure: { part, path } }) => part?.orchestrator ?? path)).size).toBe(2);
  });

  test.each([
    ['"Order" service p99<2s', "Order", "latencyMs.service.p99"],
    ['"Order service" p99 <  2s', "Order service", "latencyMs.response.p99"],
    ['"Order service" service p97.5<2s', "Order service", "latencyMs.service.p97.5"],
    ["Order service service p99<2s", "Order service", "latencyMs.service.p99"],
    ['"say ""a  <b"" =" p50>1s', 'say "a  <b" =', "latencyMs.response.p50"],
  ])("has a name in quotes that is taken as it is: %s", (expression, orchestrator, path) => {
    const plan = ["Order", "Order service", 'say "a  <b" ='].map((name) => ({ orchestrator: name }));
    const { part } = parseThreshold(expression, plan).figure;
    expect({ orchestrator: part?.orchestrator, path: part?.figure.path }).toEqual({ orchestrator, path });
    expect(kindOfThreshold(expression)).toBe("duration");
  });

  test("can be pasted back as it is printed, whatever the orchestrations are called", () => {
    const word = fc.constantFrom("Order", "service", "response", "queue", "p99", "errors", "longest", 'a"b', "<", "");
    const names = fc.uniqueArray(
      fc
        .array(word, { minLength: 1, maxLength: 3 })
        .map((words) => words.join(" "))
        .filter((name) => name !== ""),
      { minLength: 1, maxLength: 5 },
    );
    const figures = ["p99", "service p99", "response p50", "orchestrations/s", "errors", "latencyMs.server.p75"];
    fc.assert(
      fc.property(names, fc.constantFrom(...figures), (orchestrators, figure) => {
        const plan = orchestrators.map((orchestrator) => ({ orchestrator }));
        for (const orchestrator of orchestrators) {
          const bound = figure === "orchestrations/s" ? "5" : figure === "errors" ? "1%" : "2s";
          const printed = nameInMix(orchestrator, figure, orchestrators);
          const { part } = parseThreshold(`${printed}<${bound}`, plan).figure;
          expect([part?.orchestrator, part?.figure.path]).toEqual([orchestrator, figureOf(figure)!.path]);
        }
      }),
    );
  });

  test.each(["execute", "queue", "service"])("keeps its meaning if no orchestration is called so: %s", (name) => {
    expect(parseThreshold(`${name} p99<2s`, mix).figure.part).toBeUndefined();
  });

  test("that closed load cannot measure is missed, with the figure of the same one in its place", () => {
    expect(judge(parseThreshold("Refund, late p99<1s", mix), mixedResult).reason).toBe(
      "not judged, closed load has no response time: use 'Refund, late service p99<1s'",
    );
  });

  test("has a hint with quotes where the name alone would have two meanings", () => {
    const orchestrations = ["Order", "Order service"].map((orchestrator) => ({ orchestrator, weight: 1 }));
    const closed = { ...mixedResult, plan: { ...mixedResult.plan, orchestrations } };
    expect(judge(parseThreshold("Order p99<1s", orchestrations), closed).reason).toContain(
      `use '"Order" service p99<1s'`,
    );
  });

  test("is refused if the plan has no such orchestration", () => {
    expect(() => parseThreshold("Ordre p99<2s", mix)).toThrow(
      `expected a figure, or one of an orchestration of the plan (Order, Refund, late), found "Ordre p99"`,
    );
    expect(() => parseThreshold("Order p99<2s")).toThrow(/Only a plan file with orchestrations has figures of each/u);
  });
});
