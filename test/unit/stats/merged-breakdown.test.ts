import * as fc from "fast-check";
import { expect, test } from "vitest";
import { talliedBreakdownOf } from "../../../src/breakdown/breakdown.js";
import { clocksOf } from "../../../src/breakdown/clocks.js";
import type { TracedInstance } from "../../../src/breakdown/traced-instance.js";
import type { Breakdown, PhaseTime, RunTally, Stragglers } from "../../../src/result/run-result.js";
import { LatencyHistogram } from "../../../src/stats/latency-histogram.js";
import { momentsOf } from "../../../src/stats/share-moments.js";
import { mergedBreakdown } from "../../../src/stats/merged-breakdown.js";
import { judge, parseThreshold } from "../../../src/stats/threshold.js";
import { sampleResult } from "../../support/report/sample-result.js";
import { aheadBy, anyLife, simulatedInstance } from "../../support/breakdown/simulated-instance.js";

const NONE = { completed: 0, failed: 0, terminated: 0, unfinished: 0, retried: 0 };

function tracedTimes(traced: number, wholeMs: number, phases: Breakdown["phases"] = {}) {
  return { breakdown: { orchestrations: { ...NONE, traced, completed: traced }, wholeMs, phases } };
}

const shard = (iterations: number, stragglers?: Stragglers) => ({
  fanIn: { iterations, iterationMs: 100, episodes: 1, ...(stragglers && { stragglers }) },
});

test("stragglers of a merged run are the means of its shards, weighted by their iterations", () => {
  const execute = { longestMs: 90, medianMs: 30, ratio: 3 };
  const first = shard(1, { lastMs: 100, medianMs: 40, ratio: 2.5, execute });
  const second = shard(3, {
    lastMs: 200,
    medianMs: 80,
    ratio: 2.5,
    execute: { longestMs: 130, medianMs: 50, ratio: 2.6 },
  });
  expect(mergedBreakdown([first, second], { plan: {} }).fanIn?.stragglers).toEqual({
    lastMs: 175,
    medianMs: 70,
    ratio: 2.5,
    execute: { longestMs: 120, medianMs: 45, ratio: 120 / 45 },
  });
});

const waiting = (waitingShare: number) => shard(10, { lastMs: 100, medianMs: 40, waitingShare });

function waitingShareOf(shards: Parameters<typeof mergedBreakdown>[0]): number | undefined {
  return mergedBreakdown(shards, { plan: {} }).fanIn?.stragglers?.waitingShare;
}

test("the share of the time that waiting took is that of the times of all traced orchestrations", () => {
  const shards = [
    { ...tracedTimes(2, 1_000), ...waiting(0.5) },
    { ...tracedTimes(2, 9_000), ...waiting(0.1) },
  ];
  expect(waitingShareOf(shards)).toBeCloseTo(0.14, 9);
  expect(waitingShareOf([...shards, tracedTimes(2, 4_000)])).toBeCloseTo(0.1, 9);
  expect(
    waitingShareOf([...shards, { breakdown: { orchestrations: { ...NONE, traced: 0 }, missing: "why" } }]),
  ).toBeCloseTo(0.14, 9);
});

test("a shard without stragglers, or without the executions of them, takes none from those that have them", () => {
  const stragglers = { lastMs: 100, medianMs: 40, ratio: 2.5 };
  const execute = { longestMs: 9, medianMs: 3, ratio: 3 };
  const shards = [shard(1, stragglers), shard(1, { ...stragglers, execute }), shard(5)];
  const merged = mergedBreakdown(shards, { plan: {} });
  expect(merged.fanIn?.stragglers).toEqual({ ...stragglers, execute });
});

const phase = (meanMs: number, share: number, boundMs?: number): PhaseTime => ({
  meanMs,
  share,
  each: { count: 4, mean: meanMs / 2, max: meanMs },
  ...(boundMs !== undefined && { boundMs }),
});

/** Of two orchestrations of 100 ms, of whose phases each took as long as the other. */
function tallyOf(phases: NonNullable<Breakdown["phases"]>): { readonly tally: RunTally } {
  const each = new LatencyHistogram().tally();
  const tallies = Object.entries(phases).map(([name, { meanMs }]) => {
    const us = meanMs * 1_000;
    return [name, { each, inEach: momentsOf([us, us], [100_000, 100_000]) }];
  });
  return { tally: { breakdown: { phases: Object.fromEntries(tallies) } } as RunTally };
}

test("two phases that the clocks of one shard do not tell apart are one in all shards", () => {
  const [execute, finish] = [phase(40, 0.4), phase(10, 0.1)];
  const told = { queue: phase(40, 0.4, 1), execute, return: phase(10, 0.1, 1), finish };
  const untold = { queueAndReturn: phase(50, 0.5), execute, finish };
  const shards = [
    { ...tracedTimes(2, 100, told), ...tallyOf(told) },
    { ...tracedTimes(2, 100, untold), ...tallyOf(untold) },
  ];
  const { breakdown } = mergedBreakdown(shards, { plan: {} });
  const { queueAndReturn, ...others } = breakdown!.phases!;
  expect(Object.keys(others)).toEqual(["execute", "finish"]);
  expect(queueAndReturn).toMatchObject({ meanMs: 50, share: 0.5, each: { count: 8, mean: 25 } });
  expect(queueAndReturn).not.toHaveProperty("boundMs");
  // Its histogram is known in one of them alone.
  expect(queueAndReturn).not.toHaveProperty("shareInterval");
  expect(breakdown!.phases!.execute).toHaveProperty("shareInterval");
  const judged = judge(parseThreshold("share.queue<30%"), { ...sampleResult, breakdown: breakdown! });
  expect(judged).toMatchObject({
    passed: false,
    reason: "not judged, the clocks are known too loosely: use queueAndReturn",
  });
});

test("the pause of a worker in a merged run is the longest that a shard found", () => {
  const [short, long] = [300, 900].map((lengthMs) => ({ at: "2026-11-29T10:00:01.300Z", lengthMs, inHand: 9 }));
  const shards = [short!, long!].map((pause) => ({ workers: [{ workerId: "host-1", activities: 1, pause }] }));
  expect(mergedBreakdown(shards, { plan: {} }).workers?.[0]?.pause).toEqual(long);
});

/** What clocks show is the same whichever instances a shard has traced, so that phases do not become one in some of them. */
const CLOCKS = { backend: aheadBy(0), worker: aheadBy(0) };

const lives = fc.array(anyLife, { minLength: 8, maxLength: 60 }).map((all) => {
  return all.map((life, number) => simulatedInstance(life, CLOCKS, { number }));
});

/** As the file of a shard has them. */
function shardOf(instances: readonly TracedInstance[], all: readonly TracedInstance[]) {
  const { breakdown, tally } = talliedBreakdownOf(instances, clocksOf(all));
  return JSON.parse(JSON.stringify({ breakdown, tally: { breakdown: tally } })) as {
    breakdown: Breakdown;
    tally: RunTally;
  };
}

test("the phases of n parts of the traced orchestrations are those of all together", () => {
  fc.assert(
    fc.property(lives, fc.integer({ min: 1, max: 4 }), (all, n) => {
      const whole = shardOf(all, all).breakdown.phases!;
      const parts = Array.from({ length: n }, (_, part) => all.filter((_each, index) => index % n === part));
      const merged = mergedBreakdown(
        parts.map((part) => shardOf(part, all)),
        { plan: {} },
      ).breakdown!;
      expect(merged).not.toHaveProperty("missing");
      fc.pre(Object.keys(merged.phases!).join() === Object.keys(whole).join());
      for (const [name, { share, shareInterval, each }] of Object.entries(merged.phases!)) {
        const expected = whole[name as keyof typeof whole]!;
        expect(share).toBeCloseTo(expected.share, 9);
        expect(shareInterval?.from).toBeCloseTo(expected.shareInterval!.from, 6);
        expect(shareInterval?.to).toBeCloseTo(expected.shareInterval!.to, 6);
        expect(Object.keys(each).toSorted()).toEqual(Object.keys(expected.each).toSorted());
        // The histogram has three significant digits of a microsecond.
        const { p50, p90 } = each;
        if (p50 !== undefined)
          expect(Math.abs(p50 - expected.each.p50!)).toBeLessThan(expected.each.p50! * 2e-3 + 2e-3);
        if (p90 !== undefined)
          expect(Math.abs(p90 - expected.each.p90!)).toBeLessThan(expected.each.p90! * 2e-3 + 2e-3);
      }
    }),
    { numRuns: 50 },
  );
});

test("shards without the histograms of phases merge, and the result says what is not in it", () => {
  const all = fc.sample(lives, { numRuns: 1, seed: 3 })[0]!;
  const [first, second] = [shardOf(all.slice(0, 4), all), shardOf(all.slice(4), all)];
  const { breakdown } = mergedBreakdown([first, { breakdown: second.breakdown }], { plan: {} });
  expect(breakdown?.missing).toBe("the percentiles and intervals of phases are not in the results of the shards");
  for (const phase of Object.values(breakdown!.phases!)) {
    expect(phase).not.toHaveProperty("shareInterval");
    expect(phase.each).not.toHaveProperty("p50");
  }
});
