import { expect, test } from "vitest";
import { ToldStanding } from "../../../src/generators/told-standing.js";
import type { StandingPart } from "../../../src/stats/merged-standing.js";

function part(number: number, atMs: number): StandingPart {
  const nothing = { count: 0, sumMs: 0, maxMs: 0 };
  const crossing = { completed: nothing, noticed: nothing, boundMs: 0 };
  const drift = { count: 0, meanDueMs: 0, meanLatencyMs: 0, dueSquares: 0, latencySquares: 0, products: 0 };
  return {
    shard: { number, of: 2 },
    atMs,
    accepted: 0,
    counts: { orchestrations: { started: 0, completed: 0, failed: 0, terminated: 0, unfinished: 0 }, rpcErrors: {} },
    latencies: {
      response: crossing,
      service: crossing,
      punctual: crossing,
      detectionLag: nothing,
      startRpc: nothing,
      slip: nothing,
      unheldSlip: nothing,
      server: nothing,
      slipDrift: drift,
      lagBoundMs: 0,
    },
    window: {
      started: 0,
      completedOfDue: 0,
      completed: 0,
      activities: 0,
      lastCompletedMs: 0,
      lastNotCompletedMs: 0,
      drift,
    },
    generator: { heldBack: 0 },
    verdict: undefined,
  };
}

test("the whole is known up to the time that every generator at work has told", () => {
  const told = new ToldStanding(2);
  expect(told.at(0)).toEqual({ kind: "untold", why: "generator 1 has not told its figures yet" });
  told.take(0, part(1, 2_000));
  expect(told.at(2_100)).toEqual({ kind: "untold", why: "generator 2 has not told its figures yet" });
  told.take(1, part(2, 1_500));
  expect(told.at(2_100)).toMatchObject({ kind: "told", toldMs: 1_500, parts: [{ atMs: 2_000 }, { atMs: 1_500 }] });
  told.take(1, part(2, 6_500));
  expect(told.at(7_200)).toEqual({ kind: "untold", why: "generator 1 told its figures 5.20 s ago" });
  // It has nothing more to tell.
  told.end(0, "ended");
  expect(told.at(7_200)).toMatchObject({ kind: "told", toldMs: 6_500 });
  told.end(1, "died");
  expect(told.at(7_200)).toEqual({ kind: "untold", why: "generator 2 died with its figures" });
});
