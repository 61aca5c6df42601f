import { describe, expect, test } from "vitest";
import { fanInOf } from "../../../src/breakdown/fan-in.js";
import { growthTallyOf } from "../../../src/breakdown/growth.js";
import { growthOf, mergedGrowthTally } from "../../../src/stats/growth.js";
import { fanOutsOf } from "../../../src/breakdown/fan-outs.js";
import type { History } from "../../../src/breakdown/critical-path.js";
import { continueAsNewAdvice } from "../../../src/stats/continue-as-new-advice.js";
import { uniformAt } from "../../../src/orchestrations/hash-draw.js";
import { aheadBy, simulatedInstance, type SimulatedLife } from "../../support/breakdown/simulated-instance.js";

const CLOCKS = { backend: aheadBy(123), worker: aheadBy(0) };

function life(iterations: SimulatedLife["iterations"]): SimulatedLife {
  return { slipUs: 0, startUs: 500, answerUs: 500, firstDispatchUs: 0, iterations, finishUs: 0, noticeUs: 500 };
}

/** An instance whose iterations took that long, microseconds, each with one activity. */
function ofLengths(lengthsUs: readonly number[], number: number) {
  const iterations = lengthsUs.map((us) => ({
    scheduleUs: 0,
    activities: [{ queueUs: 0, executeUs: us, returnUs: 0 }],
    fanInUs: 0,
  }));
  return simulatedInstance(life(iterations), CLOCKS, { number });
}

/** Exponential, with a mean of 50 ms. */
function draw(...place: readonly number[]): number {
  return Math.round(-Math.log(1 - uniformAt(1, ...place)) * 50_000);
}

function harmonic(n: number): number {
  return Array.from({ length: n }, (_, k) => 1 / (k + 1)).reduce((sum, one) => sum + one, 0);
}

/** Orchestrations with fan-outs of 20 exponential activities, each of which has that way to its worker. */
function exponential(wayUs: number, isStamped = true) {
  return Array.from({ length: 30 }, (_, number) => {
    const iterations = Array.from({ length: 20 }, (_i, iteration) => ({
      scheduleUs: 0,
      activities: Array.from({ length: 20 }, (_a, activity) => ({
        queueUs: wayUs,
        executeUs: draw(number, iteration, activity),
        returnUs: 0,
      })),
      fanInUs: 0,
    }));
    return simulatedInstance(life(iterations), CLOCKS, { number, isStamped });
  });
}

describe("stragglers", () => {
  // The k-th smallest of n has the mean H(n) - H(n - k): David and Nagaraja, Order Statistics, 3rd edition, 2.5.
  const median = harmonic(20) - (harmonic(10) + harmonic(9)) / 2;

  test("of fan-outs of 20 exponential activities are as harmonic numbers say", () => {
    const { stragglers } = fanInOf(exponential(0))!;
    expect(stragglers!.ratio! / (harmonic(20) / median)).toBeCloseTo(1, 1);
    expect(stragglers!.lastMs / (50 * harmonic(20))).toBeCloseTo(1, 1);
    // The median of what an iteration takes is not waiting.
    expect(stragglers!.waitingShare).toBeCloseTo(1 - median / harmonic(20), 1);
  });

  test("of the executions alone do not depend on the way to the worker", () => {
    const [direct, far] = [fanInOf(exponential(0))!.stragglers!, fanInOf(exponential(14_000))!.stragglers!];
    expect(direct.execute).toEqual({ longestMs: direct.lastMs, medianMs: direct.medianMs, ratio: direct.ratio });
    expect(far.execute).toEqual(direct.execute);
    expect(far.medianMs).toBeCloseTo(direct.medianMs + 14, 6);
    expect(far.ratio).toBeLessThan(0.8 * direct.ratio!);
  });

  test("of the executions alone are unknown where the worker does not stamp, or an activity failed", () => {
    expect(fanInOf(exponential(0, false))!.stragglers).not.toHaveProperty("execute");
    const history: History = [
      { kind: "orchestrator-started", atUs: 100 },
      { kind: "execution-started", atUs: 90 },
      { kind: "asked", atUs: 110, id: 1, what: "activity" },
      { kind: "asked", atUs: 110, id: 2, what: "activity" },
      { kind: "orchestrator-started", atUs: 200 },
      { kind: "answered", atUs: 140, id: 1, what: "activity", failed: true },
      {
        kind: "answered",
        atUs: 180,
        id: 2,
        what: "activity",
        failed: false,
        stamps: { startedUs: 120, finishedUs: 170, workerId: "a worker" },
      },
      { kind: "ended", atUs: 210 },
    ];
    expect(fanOutsOf(history)).toEqual([{ fromUs: 100, toUs: 200, tasksUs: [30, 70], episodes: 1 }]);
  });

  test("are none where a fan-out has one activity", () => {
    expect(fanInOf([ofLengths([5_000, 5_000], 0)])).not.toHaveProperty("stragglers");
  });
});

describe("the growth of an iteration by its number", () => {
  test("is the slope of a line, and its interval holds it", () => {
    const instances = Array.from({ length: 10 }, (_, number) =>
      ofLengths(
        Array.from(
          { length: 200 },
          (_i, iteration) => 10_000 + 410 * iteration + Math.round(2_000 * uniformAt(2, number, iteration)),
        ),
        number,
      ),
    );
    const { growth, iterations } = fanInOf(instances)!;
    expect(iterations).toBe(2_000);
    expect(growth!.per100IterationsMs).toBeCloseTo(41, 0);
    expect(growth!.interval.from).toBeLessThan(41);
    expect(growth!.interval.to).toBeGreaterThan(41);
    expect(growth!.interval.to - growth!.interval.from).toBeLessThan(1);
    expect(growth!.groups).toHaveLength(50);
    expect(growth!.groups[1]).toMatchObject({ fromIteration: 4, iterations: 4 });
  });

  test("of a single orchestration has the interval of its line; of few iterations there is none", () => {
    const lengths = Array.from(
      { length: 50 },
      (_, iteration) => 10_000 + 100 * iteration + Math.round(900 * uniformAt(3, iteration)),
    );
    const { growth } = fanInOf([ofLengths(lengths, 0)])!;
    expect(growth!.interval.from).toBeLessThan(10);
    expect(growth!.interval.to).toBeGreaterThan(10);
    expect(fanInOf([ofLengths(lengths.slice(0, 9), 0)])).not.toHaveProperty("growth");
  });
});

describe("the growth that shards tell of", () => {
  const instances = Array.from({ length: 7 }, (_, number) =>
    ofLengths(
      Array.from({ length: 60 - number }, (_i, iteration) =>
        Math.round(10_000 + 50 * iteration + 900 * uniformAt(4, number, iteration)),
      ),
      number,
    ),
  );
  const plan = { iterations: 60 };
  const partsOf = (...cuts: readonly number[]) =>
    [0, ...cuts].map((from, index) => growthTallyOf(instances.slice(from, cuts[index]), plan)!);

  test.each([[[3]], [[1]], [[1, 2, 6]]])("is that of all orchestrations, whoever started them: cut at %o", (cuts) => {
    const whole = fanInOf(instances, plan)!.growth!;
    const found = growthOf(mergedGrowthTally(partsOf(...cuts))!, plan);
    expect(found.groups).toHaveLength(whole.groups.length);
    for (const name of ["from", "to"] as const) expect(found.interval[name]).toBeCloseTo(whole.interval[name], 9);
    expect(found.per100IterationsMs).toBeCloseTo(whole.per100IterationsMs, 9);
    expect(found.groups.at(-1)!.meanMs).toBeCloseTo(whole.groups.at(-1)!.meanMs, 9);
    expect(found.continueAsNew?.every).toBe(whole.continueAsNew?.every);
  });

  test("is not known where their groups have different sizes", () => {
    const parts = [growthTallyOf(instances, {})!, growthTallyOf([ofLengths(Array(200).fill(9_000), 8)], {})!];
    expect(mergedGrowthTally(parts)).toBeUndefined();
    expect(mergedGrowthTally([])).toBeUndefined();
  });
});

describe("the advice of continue-as-new", () => {
  /** What an iteration takes by its number, and an execution more, microseconds. */
  const [first, slope, restart] = [10_000, 100, 8_000];
  const plan = { iterations: 300 };
  const lengths = Array.from({ length: 300 }, (_, iteration) => first + slope * iteration + (iteration % 2));

  /** What N iterations take with K in each execution, added up one by one. */
  function wholeUs(every: number): number {
    let us = 0;
    for (let iteration = 0; iteration < 300; iteration += 1) {
      if (iteration > 0 && iteration % every === 0) us += restart + slope * every;
      us += first + slope * (iteration % every);
    }
    return us;
  }

  test("is the K for which an orchestration is quickest, with what it saves and costs", () => {
    const starting = { ...life([]), firstDispatchUs: restart };
    const iterations = lengths.map((us) => ({
      scheduleUs: 0,
      activities: [{ queueUs: 0, executeUs: us, returnUs: 0 }],
      fanInUs: 0,
    }));
    const { growth } = fanInOf([simulatedInstance({ ...starting, iterations }, CLOCKS)], plan)!;
    const best = Array.from({ length: 299 }, (_, index) => index + 1).reduce((best, every) =>
      wholeUs(every) < wholeUs(best) ? every : best,
    );
    const { every, savedMs, savedShare, actions, restartMs } = growth!.continueAsNew!;
    expect({ every, actions }).toEqual({ every: best, actions: Math.ceil(300 / best) - 1 });
    expect(restartMs).toBeCloseTo(8, 3);
    expect(savedMs / ((wholeUs(300) - wholeUs(best)) / 1_000)).toBeCloseTo(1, 2);
    expect(savedShare).toBeCloseTo(1 - wholeUs(best) / wholeUs(300), 2);
  });

  const line = { slopeUs: slope, meanUs: first + 150 * slope, leastUs: first };

  test("is held against the executions that there are", () => {
    const advice = continueAsNewAdvice(line, restart, { ...plan, continueAsNewEvery: 100 })!;
    const whole = continueAsNewAdvice(line, restart, plan)!;
    expect(advice.every).toBe(whole.every);
    expect(advice.actions).toBe(whole.actions - 2);
    expect(advice.savedMs).toBeCloseTo((wholeUs(100) - wholeUs(advice.every)) / 1_000, 3);
    expect(continueAsNewAdvice(line, restart, { ...plan, continueAsNewEvery: whole.every })).toBeUndefined();
  });

  test("is none where nothing grows, the iterations are not known, or an execution costs more than all growth", () => {
    expect(continueAsNewAdvice({ ...line, slopeUs: -1 }, restart, plan)).toBeUndefined();
    expect(continueAsNewAdvice(line, restart, {})).toBeUndefined();
    expect(continueAsNewAdvice({ ...line, leastUs: 1e9, meanUs: 1e9 }, 1e9, plan)).toBeUndefined();
    const still = ofLengths(
      Array.from({ length: 50 }, (_, iteration) => 10_000 + (iteration % 3)),
      0,
    );
    expect(fanInOf([still], { iterations: 50 })!.growth).not.toHaveProperty("continueAsNew");
  });

  test("saves no more than the quickest iterations show to be possible, and is found at once for any number", () => {
    const steep = { ...line, slopeUs: 10 * slope };
    expect(continueAsNewAdvice(steep, restart, plan)!.savedMs).toBe((300 * 150 * slope) / 1_000);
    expect(continueAsNewAdvice({ ...line, slopeUs: 1e-9 }, restart, { iterations: 1e12 })!.every).toBeLessThan(100_000);
  });
});

describe("fan-outs", () => {
  test("may be divided among sub-orchestrations, with a timer between them", () => {
    const history: History = [
      { kind: "orchestrator-started", atUs: 100 },
      { kind: "execution-started", atUs: 90 },
      { kind: "asked", atUs: 110, id: 1, what: "child", instanceId: "a" },
      { kind: "asked", atUs: 110, id: 2, what: "child", instanceId: "b" },
      { kind: "orchestrator-started", atUs: 200 },
      { kind: "answered", atUs: 140, id: 1, what: "child", failed: false },
      { kind: "answered", atUs: 180, id: 2, what: "child", failed: false },
      { kind: "asked", atUs: 210, id: 3, what: "timer" },
      { kind: "orchestrator-started", atUs: 900 },
      { kind: "answered", atUs: 890, id: 3, what: "timer", failed: false },
      { kind: "ended", atUs: 910 },
    ];
    expect(fanOutsOf(history)).toEqual([{ fromUs: 100, toUs: 200, tasksUs: [30, 70], episodes: 1 }]);
  });

  test("have the episodes that waited on; what was not answered is none", () => {
    const history: History = [
      { kind: "orchestrator-started", atUs: 100 },
      { kind: "execution-started", atUs: 90 },
      { kind: "asked", atUs: 110, id: 1, what: "activity" },
      { kind: "asked", atUs: 110, id: 2, what: "activity" },
      { kind: "orchestrator-started", atUs: 150 },
      { kind: "answered", atUs: 140, id: 1, what: "activity", failed: false },
      { kind: "orchestrator-started", atUs: 200 },
      { kind: "answered", atUs: 180, id: 2, what: "activity", failed: false },
      { kind: "asked", atUs: 210, id: 3, what: "activity" },
    ];
    expect(fanOutsOf(history)).toEqual([{ fromUs: 100, toUs: 200, tasksUs: [30, 70], episodes: 2 }]);
    expect(fanInOf([])).toBeUndefined();
  });
});
