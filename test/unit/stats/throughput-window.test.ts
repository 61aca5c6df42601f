import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arrivals } from "../../../src/plan/arrivals.js";
import type { LoadShape } from "../../../src/result/load-shape.js";
import type { ResultPlan } from "../../../src/result/run-result.js";
import { ThroughputWindow } from "../../../src/stats/throughput-window.js";
import { draws, exponential } from "../../support/stats/simulated-run.js";

type Open = Extract<LoadShape, { kind: "open" }>;

function open(ratePerSecond: number, lengthMs: number, arrival: Open["arrival"] = "constant"): Open {
  const stages = [{ fromPerSecond: ratePerSecond, toPerSecond: ratePerSecond, lengthMs }];
  return { kind: "open", arrival, stages, maxInFlight: 1_000 };
}

/** Of a load whose starts take so long each, by when they were due, once all have ended. */
function measured(load: LoadShape, responseOf: (dueMs: number) => number, warmupMs = 0, seed = 1) {
  const plan: ResultPlan = { iterations: 1, parallelActivities: 2, load, warmupMs, workers: 2, timeoutMs: 60_000 };
  const window = new ThroughputWindow(plan);
  let endMs = 0;
  let starts = 0;
  for (const dueMs of arrivals({ load, warmupMs, seed })) {
    window.addStart(dueMs);
    const atMs = dueMs + responseOf(dueMs);
    window.addCompleted(atMs, dueMs);
    endMs = Math.max(endMs, atMs);
    starts += dueMs >= warmupMs ? 1 : 0;
  }
  return { starts, throughput: window.throughput(endMs, true) };
}

/** A queue of one server that takes so long for each, at a start every `gapMs`. */
function queue(serviceMs: number): (dueMs: number) => number {
  let freeMs = 0;
  return (dueMs) => {
    freeMs = Math.max(freeMs, dueMs) + serviceMs;
    return freeMs - dueMs;
  };
}

describe("open load with nothing left", () => {
  test.each([
    [1, 5_000, 100],
    [0.5, 7_000, 100],
    [4, 5_000, 0],
    [4, 5_000, 400],
    [4, 5_000, 20_000],
    [1_000, 60_000, 3],
    [50, 1_000, 900],
    [1 / 60, 1_000, 10],
  ])("%d/s for %d ms, answered in %d ms, comes out at its rate", (rate, lengthMs, responseMs) => {
    const { throughput } = measured(open(rate, lengthMs), () => responseMs);
    expect(throughput?.orchestrationsPerSecond).toBeCloseTo(rate, 9);
    expect(throughput?.activitiesPerSecond).toBeCloseTo(2 * rate, 9);
    expect(throughput?.actionsPerSecond).toBeCloseTo(5 * rate, 9);
  });

  test("comes out at its rate whatever the rate, the length, the warm-up and how long all take alike", () => {
    const rate = fc.double({ min: 0.1, max: 200, noNaN: true });
    const length = fc.integer({ min: 1_000, max: 20_000 });
    const response = fc.integer({ min: 0, max: 5_000 });
    const warmup = fc.integer({ min: 0, max: 3_000 });
    fc.assert(
      fc.property(rate, length, response, warmup, (ratePerSecond, lengthMs, responseMs, warmupMs) => {
        const { starts, throughput } = measured(open(ratePerSecond, lengthMs), () => responseMs, warmupMs);
        if (starts === 0) return;
        expect(throughput!.orchestrationsPerSecond / ratePerSecond).toBeCloseTo(1, 6);
      }),
    );
  });

  test("of random arrivals is their number over the time, whatever response times scatter by", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 0, max: 500 }), (seed, scatterMs) => {
        let turn = 0;
        const { starts, throughput } = measured(
          open(20, 10_000, "poisson"),
          () => 100 + ((turn++ * 7) % 10) * (scatterMs / 10),
          2_000,
          seed,
        );
        expect(throughput!.orchestrationsPerSecond / (starts / 10)).toBeGreaterThan(0.97);
        expect(throughput!.orchestrationsPerSecond / (starts / 10)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test.each([
    [100, 20_000, 70],
    [100, 20_000, 99],
    [50, 5_000, 20],
  ])("%d/s for %d ms on a backend of %d/s comes out at what the backend does", (rate, lengthMs, capacity) => {
    const { throughput } = measured(open(rate, lengthMs), queue(1_000 / capacity));
    expect(throughput!.orchestrationsPerSecond / capacity).toBeCloseTo(1, 1);
    expect(throughput!.orchestrationsPerSecond).toBeLessThan(capacity * 1.02);
  });

  // What docs/measuring.md states.
  test("of 20 random response times comes out at its rate, or in 3 of 1,000 runs some 8 % below it", () => {
    const draw = draws(1);
    const runs = 5_000;
    const load = open(4, 5_000);
    const shares = Array.from({ length: runs }, () => {
      const { throughput } = measured(load, () => exponential(draw, 250));
      return throughput!.orchestrationsPerSecond / 4;
    });
    expect(Math.max(...shares)).toBeCloseTo(1, 9);
    const low = shares.filter((share) => share < 0.999_999).toSorted((one, other) => one - other);
    expect(low.length / runs).toBeGreaterThan(0.001);
    expect(low.length / runs).toBeLessThan(0.005);
    expect(low[Math.floor(low.length / 2)]).toBeCloseTo(0.92, 1);
    expect(low[0]).toBeGreaterThan(0.8);
  });

  test("of several stages is the mean rate, on a backend that keeps up", () => {
    const stages = [
      { fromPerSecond: 10, toPerSecond: 10, lengthMs: 5_000 },
      { fromPerSecond: 10, toPerSecond: 50, lengthMs: 5_000 },
    ];
    const { throughput } = measured({ kind: "open", arrival: "constant", stages, maxInFlight: 1_000 }, () => 300);
    expect(throughput?.orchestrationsPerSecond).toBeCloseTo(20, 6);
  });
});

test("open load with work left counts what completed while starts were due", () => {
  const load = open(10, 4_000);
  const plan: ResultPlan = { iterations: 1, parallelActivities: 2, load, workers: 2, timeoutMs: 60_000 };
  const window = new ThroughputWindow(plan);
  for (const dueMs of arrivals({ load, seed: 1 })) window.addStart(dueMs);
  for (let done = 0; done < 12; done += 1) window.addCompleted(500 * done, 100 * done);
  expect(window.throughput(10_000, false)).toMatchObject({ windowMs: 4_000, orchestrationsPerSecond: 9 / 4 });
});

function windowOf(plan: ResultPlan): ThroughputWindow {
  const window = new ThroughputWindow(plan);
  for (const dueMs of [0, 500, 1_000, 1_500]) window.addStart(dueMs);
  window.addCompleted(2_000, 1_000);
  window.addNotCompleted(4_000);
  return window;
}

describe("actions a second where activities fail", () => {
  const failing = { iterations: 1, parallelActivities: 2, activity: { failureRate: 0.5 }, workers: 2, timeoutMs: 1 };
  const irregular = { instances: 3, actions: 30, measured: 20 };

  test("of a number of starts are those of all, until the last has ended", () => {
    const plan: ResultPlan = { ...failing, load: { kind: "once" } };
    // The one that completed has cost 1 + 2 x 2.
    expect(windowOf(plan).throughput(9_000, true, irregular)?.actionsPerSecond).toBe((30 + 5) / 4);
    const retried: ResultPlan = { ...plan, activity: { failureRate: 0.5, retries: 2 } };
    expect(windowOf(retried).throughput(9_000, true, irregular)?.actionsPerSecond).toBe(30 / 4);
  });

  test("of open load are those of what was due after the warm-up", () => {
    const plan: ResultPlan = { ...failing, load: open(2, 1_000), warmupMs: 1_000 };
    expect(windowOf(plan).throughput(9_000, true, irregular)).toMatchObject({
      windowMs: 1_000,
      actionsPerSecond: 20 + 5,
    });
  });

  test("are absent where not all were counted, or where nobody knows which of them fell into the time", () => {
    const once: ResultPlan = { ...failing, load: { kind: "once" } };
    const closed: ResultPlan = { ...failing, load: { kind: "closed", durationMs: 3_000 } };
    expect(windowOf(once).throughput(9_000, true, { ...irregular, missing: "a reason" })).not.toHaveProperty(
      "actionsPerSecond",
    );
    expect(windowOf(closed).throughput(9_000, true, irregular)).not.toHaveProperty("actionsPerSecond");
    const none = { instances: 0, actions: 0, measured: 0 };
    expect(windowOf(closed).throughput(9_000, true, none)?.actionsPerSecond).toBe(4 / 3);
  });
});
