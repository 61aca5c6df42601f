import { describe, expect, test } from "vitest";
import type { Stall } from "../../../src/result/run-result.js";
import { commonStalls, hasEnded } from "../../../src/stats/merged-health.js";
import { StallDetector } from "../../../src/stats/stall-detector.js";

function stall(fromMs: number, toMs: number, more: Partial<Stall> = {}): Stall {
  return { fromMs, lengthMs: toMs - fromMs, inFlight: 1, offeredPerSecond: 2, rpcErrors: { UNAVAILABLE: 1 }, ...more };
}
const idle = (fromMs: number, toMs: number) => ({ fromMs, toMs });
const saw = (spans: readonly Stall[], ...neutral: readonly ReturnType<typeof idle>[]) => ({ spans, neutral });
const BOTH = { inFlight: 2, offeredPerSecond: 4, rpcErrors: { UNAVAILABLE: 2 } };

describe("a run of several shards is stalled", () => {
  test.each([
    {
      what: "while each of them is",
      shards: [saw([stall(0, 2_000)]), saw([stall(500, 3_000)])],
      stalls: [stall(500, 2_000, BOTH)],
    },
    { what: "while one is and the other works: not", shards: [saw([stall(0, 2_000)]), saw([])], stalls: [] },
    {
      what: "while all have nothing in flight: not",
      shards: [saw([], idle(0, 9_000)), saw([], idle(0, 9_000))],
      stalls: [],
    },
    {
      what: "while one is and the other has nothing in flight",
      shards: [saw([], idle(1_000, 9_000)), saw([stall(0, 2_000)])],
      stalls: [stall(1_000, 2_000)],
    },
    {
      what: "after the other had ended",
      shards: [hasEnded(saw([]), 20_000), saw([stall(20_000, 50_000)])],
      stalls: [stall(20_000, 50_000)],
    },
    {
      what: "on when a start ends the idle time of a shard, and becomes a part of it",
      shards: [saw([stall(1_500, 3_000)], idle(1_000, 1_500)), saw([stall(0, 3_000)])],
      stalls: [stall(1_000, 3_000, { ...BOTH, offeredPerSecond: 3.5 })],
    },
    {
      what: "until a shard has progress, although it is then idle",
      shards: [saw([stall(0, 1_500)], idle(1_500, 9_000)), saw([stall(0, 3_000)])],
      stalls: [stall(0, 1_500, BOTH), stall(1_500, 3_000)],
    },
    {
      what: "on after the end of a shard that was stalled",
      shards: [hasEnded(saw([stall(0, 1_000, { open: true })]), 1_000), saw([stall(0, 2_000, { open: true })])],
      stalls: [stall(0, 2_000, { ...BOTH, offeredPerSecond: 3, open: true })],
    },
  ])("$what", ({ shards, stalls }) => {
    expect(commonStalls(shards)).toEqual(stalls);
  });
});

test("a shard tells when it had nothing in flight for half a second or longer", () => {
  const detector = new StallDetector();
  detector.started(700);
  detector.ended(800, 100);
  detector.started(1_100);
  detector.ended(1_200, 100);
  detector.started(2_000);
  expect(detector.idleUntil(3_000)).toEqual([idle(0, 700), idle(1_200, 2_000)]);
  detector.ended(2_500, 500);
  expect(detector.idleSinceMs).toBe(2_500);
  expect(detector.idleUntil(3_000)).toEqual([idle(0, 700), idle(1_200, 2_000), idle(2_500, 3_000)]);
});

test("a start that the backend refuses does not end the time in which nothing was in flight", () => {
  const detector = new StallDetector();
  detector.started(700);
  detector.refused(710);
  detector.started(1_400);
  expect(detector.idleUntil(2_000)).toEqual([idle(0, 1_400)]);
  detector.refused(1_410);
  expect(detector.idleSinceMs).toBe(0);
});
