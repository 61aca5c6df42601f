import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DueStarts, arrivals, arrivalsAfter, type ArrivalPlan } from "../../../src/plan/arrivals.js";
import { arrivalsIn, lengthOf, plannedStarts, type Stage } from "../../../src/result/load-shape.js";

function open(
  stages: readonly Stage[],
  arrival: "constant" | "poisson" = "constant",
  warmupMs = 0,
  seed = 1,
): ArrivalPlan {
  return { load: { kind: "open", arrival, stages, maxInFlight: 1_000 }, warmupMs, seed };
}

const steady = (perSecond: number, lengthMs: number): Stage => ({
  fromPerSecond: perSecond,
  toPerSecond: perSecond,
  lengthMs,
});

const stage = fc.record({
  fromPerSecond: fc.double({ min: 0, max: 200, noNaN: true }),
  toPerSecond: fc.double({ min: 0, max: 200, noNaN: true }),
  lengthMs: fc.integer({ min: 1, max: 5_000 }),
});
const stages = fc.array(stage, { minLength: 1, maxLength: 5 });

test("the shards of a run have exactly the one schedule, each start in one of them", () => {
  const kinds = fc.constantFrom("constant", "poisson");
  fc.assert(
    fc.property(stages, kinds, fc.integer({ min: 1, max: 7 }), fc.nat(3_000), (stages, arrival, of, warmupMs) => {
      const whole = open(stages, arrival, warmupMs);
      const parts = Array.from({ length: of }, (_, index) => [
        ...arrivals({ ...whole, shard: { number: index + 1, of } }),
      ]);
      const all = [...arrivals(whole)];
      expect(parts).toEqual(parts.map((_, index) => all.filter((_, sequence) => sequence % of === index)));
      if (arrival === "poisson") return;
      expect(parts.map(({ length }) => length)).toEqual(
        parts.map((_, index) => plannedStarts({ ...whole, shard: { number: index + 1, of } })),
      );
    }),
  );
});

/** The integral of the rate from the start until `ms`. */
function expectedUntil(ms: number, stages: readonly Stage[]): number {
  let startMs = 0;
  let sum = 0;
  for (const { fromPerSecond, toPerSecond, lengthMs } of stages) {
    const inMs = Math.max(0, Math.min(lengthMs, ms - startMs));
    const rateThere = fromPerSecond + ((toPerSecond - fromPerSecond) * inMs) / lengthMs;
    sum += (inMs * (fromPerSecond + rateThere)) / 2_000;
    startMs += lengthMs;
  }
  return sum;
}

describe("constant arrivals", () => {
  test("are evenly spaced from the start on", () => {
    expect([...arrivals(open([steady(4, 1_000)]))]).toEqual([0, 250, 500, 750]);
  });

  test("become denser as the rate rises", () => {
    // From 0 to 4/s in two seconds, t^2 are due after t seconds.
    const due = [...arrivals(open([{ fromPerSecond: 0, toPerSecond: 4, lengthMs: 2_000 }]))];
    expect(due).toHaveLength(4);
    for (const [index, ms] of due.entries()) expect(ms).toBeCloseTo(Math.sqrt(index) * 1_000, 6);
  });

  test("begin with the warm-up, at the rate of the first stage", () => {
    const due = [...arrivals(open([steady(10, 1_000)], "constant", 500))];
    expect(due).toHaveLength(15);
    expect(due.filter((ms) => ms < 500)).toHaveLength(5);
  });

  test("are as many as the plan says, ascending, and each where the integral of the rate has reached its number", () => {
    fc.assert(
      fc.property(stages, fc.integer({ min: 0, max: 2_000 }), (stages, warmupMs) => {
        const plan = open(stages, "constant", warmupMs);
        const due = [...arrivals(plan)];
        expect(due).toHaveLength(plannedStarts(plan)!);
        const { fromPerSecond } = stages[0]!;
        const all = warmupMs > 0 ? [steady(fromPerSecond, warmupMs), ...stages] : stages;
        for (const [number, ms] of due.entries()) {
          expect(ms).toBeGreaterThanOrEqual(due[number - 1] ?? 0);
          expect(ms).toBeLessThanOrEqual(lengthOf(plan)!);
          expect(expectedUntil(ms, all)).toBeCloseTo(number, 3);
        }
      }),
    );
  });
});

describe("Poisson arrivals", () => {
  test("are the same for the same seed, and others for another", () => {
    const [first, again, other] = [7, 7, 8].map((seed) => [
      ...arrivals(open([steady(50, 10_000)], "poisson", 0, seed)),
    ]);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("have counts whose mean and variance are those of the Poisson distribution", () => {
    const counts = Array.from(
      { length: 400 },
      (_, seed) => [...arrivals(open([steady(50, 2_000)], "poisson", 0, seed))].length,
    );
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (counts.length - 1);
    // 4 standard errors: sqrt(100 / 400) = 0.5 of the mean, about 100 sqrt(2 / 400) = 7.1 of the variance.
    expect(Math.abs(mean - 100)).toBeLessThan(2);
    expect(Math.abs(variance - 100)).toBeLessThan(30);
  });

  test("follow the rate of their stage", () => {
    const due = [...arrivals(open([steady(10, 10_000), steady(100, 10_000)], "poisson", 0, 3))];
    const first = due.filter((ms) => ms < 10_000).length;
    expect(Math.abs(first - 100)).toBeLessThan(50);
    expect(Math.abs(due.length - first - 1_000)).toBeLessThan(150);
  });

  test("are ascending and within the load", () => {
    fc.assert(
      fc.property(stages, fc.nat(), (stages, seed) => {
        const due = [...arrivals(open(stages, "poisson", 0, seed))];
        const length = stages.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
        for (const [number, ms] of due.entries()) {
          expect(ms).toBeGreaterThanOrEqual(due[number - 1] ?? 0);
          expect(ms).toBeLessThanOrEqual(length);
        }
        expect(due.length).toBeLessThan(arrivalsTotal(stages) + 10 * Math.sqrt(arrivalsTotal(stages)) + 20);
      }),
    );
  });
});

function arrivalsTotal(stages: readonly Stage[]): number {
  return stages.reduce((sum, stage) => sum + arrivalsIn(stage), 0);
}

test("the starts that are due are counted as time goes on", () => {
  const due = new DueStarts(open([steady(10, 1_000)]));
  expect([-1, 0, 99, 100, 550, 550, 60_000].map((ms) => due.by(ms).all)).toEqual([0, 1, 1, 2, 6, 6, 10]);
});

test("the rest of a schedule after some starts equals its tail", () => {
  const plan = open([steady(10, 1_000)]);
  const tail = [...arrivals(plan)].slice(7).map((dueMs, index) => ({ sequence: 7 + index, dueMs }));
  expect([...arrivalsAfter(plan, 7)]).toEqual(tail);
  const shard = { number: 2, of: 3 };
  expect([...arrivalsAfter({ ...plan, shard }, 1)].map(({ sequence }) => sequence)).toEqual([4, 7]);
  expect([...arrivalsAfter(plan, 10)]).toEqual([]);
});

test("closed load has no schedule", () => {
  expect([...arrivals({ load: { kind: "closed", total: 5 }, parallelOrchestrations: 2, seed: 0 })]).toEqual([]);
});
