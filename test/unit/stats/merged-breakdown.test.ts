import { expect, test } from "vitest";
import type { Stragglers } from "../../../src/result/run-result.js";
import { mergedBreakdown } from "../../../src/stats/merged-breakdown.js";

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
