import * as fc from "fast-check";
import { expect, test } from "vitest";
import { talliedBreakdownOf } from "../../../src/breakdown/breakdown.js";
import { clocksOf } from "../../../src/breakdown/clocks.js";
import type { TracedInstance } from "../../../src/breakdown/traced-instance.js";
import type { Breakdown, RunTally, Stragglers } from "../../../src/result/run-result.js";
import { mergedBreakdown } from "../../../src/stats/merged-breakdown.js";
import { aheadBy, anyLife, simulatedInstance } from "../../support/breakdown/simulated-instance.js";

const shard = (iterations: number, stragglers: Stragglers) => ({
  fanIn: { iterations, iterationMs: 100, episodes: 1, stragglers },
});

test("stragglers of a merged run are the means of its shards, weighted by their iterations", () => {
  const execute = { longestMs: 90, medianMs: 30, ratio: 3 };
  const first = shard(1, { lastMs: 100, medianMs: 40, ratio: 2.5, waitingShare: 0.4, execute });
  const second = shard(3, {
    lastMs: 200,
    medianMs: 80,
    ratio: 2.5,
    waitingShare: 0.8,
    execute: { longestMs: 130, medianMs: 50, ratio: 2.6 },
  });
  expect(mergedBreakdown([first, second], { plan: {} }).fanIn?.stragglers).toEqual({
    lastMs: 175,
    medianMs: 70,
    ratio: 2.5,
    waitingShare: expect.closeTo(0.7, 9),
    execute: { longestMs: 120, medianMs: 45, ratio: 120 / 45 },
  });
});

test("a merged run has the executions alone only where all shards have them", () => {
  const stragglers = { lastMs: 100, medianMs: 40, ratio: 2.5 };
  const shards = [shard(1, stragglers), shard(1, { ...stragglers, execute: { longestMs: 9, medianMs: 3 } })];
  const merged = mergedBreakdown(shards, { plan: {} });
  expect(merged.fanIn?.stragglers).toEqual(stragglers);
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
