import { expect, test } from "vitest";
import { summedSnapshot } from "../../../src/generators/summed-snapshot.js";
import { parsePlan } from "../../../src/plan/plan.js";
import type { LatencySummary, Stall } from "../../../src/result/run-result.js";
import type { LiveSnapshot } from "../../../src/stats/live-snapshot.js";

const plan = parsePlan({
  iterations: "2",
  parallelActivities: "3",
  workers: "auto",
  timeout: "1m",
  rate: "10/s",
  duration: "2s",
});
const stall: Stall = { fromMs: 500, lengthMs: 900, inFlight: 2, offeredPerSecond: 5, rpcErrors: { UNAVAILABLE: 1 } };

interface More {
  readonly stall?: Stall;
  readonly idleSinceMs?: number;
  readonly responseMs?: LatencySummary;
}

function part(started: number, more: More = {}): LiveSnapshot {
  return {
    elapsedMs: 1_000,
    orchestrations: { total: 10, started, ended: started - 2 },
    activities: { total: 60, completed: 6 },
    responseMs: more.responseMs,
    own: {
      completed: started - 3,
      failed: 1,
      terminated: 0,
      inFlight: 2,
      heldBack: 1,
      rpcErrors: { UNAVAILABLE: 1 },
      stall: more.stall,
      ...(more.idleSinceMs !== undefined && { idleSinceMs: more.idleSinceMs }),
    },
  };
}

test("before any generator has told something, the totals are those of the plan", () => {
  expect(summedSnapshot([], plan, { elapsedMs: 0 })).toMatchObject({
    lengthMs: 2_000,
    orchestrations: { total: 20, started: 0, ended: 0 },
    activities: { total: 120, completed: 0, perIteration: 3 },
    own: { completed: 0, inFlight: 0, stall: undefined },
  });
});

test("counts are sums, and the emulator's count of activities wins where it is ahead", () => {
  const found = summedSnapshot([part(4), part(6)], plan, { elapsedMs: 1_100, activities: 14 });
  expect(found).toMatchObject({
    elapsedMs: 1_100,
    orchestrations: { total: 20, started: 10, ended: 6 },
    activities: { completed: 14 },
    own: { completed: 4, failed: 2, inFlight: 4, heldBack: 2, rpcErrors: { UNAVAILABLE: 2 } },
  });
  expect(summedSnapshot([part(4), part(6)], plan, { elapsedMs: 1 }).activities.completed).toBe(12);
});

test("a percentile is the largest of the parts, where all have it", () => {
  const [few, many] = [
    { count: 10, mean: 20, p50: 15, max: 90 },
    { count: 30, mean: 40, p50: 35, p90: 60, max: 80 },
  ];
  const found = summedSnapshot([part(4, { responseMs: few }), part(6, { responseMs: many })], plan, { elapsedMs: 1 });
  expect(found.responseMs).toEqual({ count: 40, mean: 35, p50: 35, max: 90 });
});

test("the run is stalled while every generator is, from when the last one was", () => {
  const later = { ...stall, fromMs: 800, lengthMs: 600 };
  const found = summedSnapshot([part(4, { stall }), part(6, { stall: later })], plan, { elapsedMs: 1 });
  expect(found.own?.stall).toEqual({ ...later, inFlight: 4, offeredPerSecond: 10, rpcErrors: { UNAVAILABLE: 2 } });
  expect(summedSnapshot([part(4, { stall }), part(6)], plan, { elapsedMs: 1 }).own?.stall).toBeUndefined();
});

test("a generator with nothing in flight does not end a stall, which begins with its last progress at the earliest", () => {
  const stallBeside = (other: LiveSnapshot) =>
    summedSnapshot([part(4, { stall }), other], plan, { elapsedMs: 1 }).own?.stall;
  expect(stallBeside(part(6, { idleSinceMs: 200 }))).toEqual(stall);
  expect(stallBeside(part(6, { idleSinceMs: 700 }))).toEqual({ ...stall, fromMs: 700, lengthMs: 700 });
});

test("a generator that has ended sees neither an outage nor the end of one", () => {
  const outage = { fromMs: 10, lengthMs: 900, found: "UNAVAILABLE" };
  const [running, ended] = [{ ...part(4, { stall }), outage }, part(6)];
  expect(summedSnapshot([running, ended], plan, { elapsedMs: 1 }).outage).toBeUndefined();
  const found = summedSnapshot([running, ended], plan, { elapsedMs: 1, running: [running] });
  expect(found).toMatchObject({ outage, own: { stall } });
});
