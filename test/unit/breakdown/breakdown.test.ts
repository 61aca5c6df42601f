import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { breakdownOf } from "../../../src/breakdown/breakdown.js";
import type { TracedInstance } from "../../../src/breakdown/traced-instance.js";
import type { PhaseTime } from "../../../src/result/run-result.js";
import { aheadBy, anyLife, simulatedInstance, type SimulatedLife } from "../../support/breakdown/simulated-instance.js";

const second = fc.integer({ min: -10_000_000, max: 10_000_000 });
const clocks = fc.record({ backend: second.map(aheadBy), worker: second.map(aheadBy) });
const LIFE: SimulatedLife = {
  slipUs: 1_000,
  startUs: 2_000,
  answerUs: 2_000,
  firstDispatchUs: 3_000,
  iterations: [
    {
      scheduleUs: 4_000,
      activities: [
        { queueUs: 5_000, executeUs: 10_000, returnUs: 3_000 },
        { queueUs: 5_000, executeUs: 50_000, returnUs: 3_000 },
      ],
      fanInUs: 7_000,
    },
    { scheduleUs: 1_000, activities: [{ queueUs: 5_000, executeUs: 20_000, returnUs: 3_000 }], fanInUs: 1_000 },
  ],
  finishUs: 9_000,
  noticeUs: 2_000,
};
/** No whole milliseconds, which might have been cut. */
const CLOCKS = { backend: aheadBy(5_000_123), worker: aheadBy(-5_000_000) };

/** The phases of one instance in the whole, in microseconds. */
function phasesOf(instances: readonly TracedInstance[]): Readonly<Record<string, number>> {
  const { phases = {} } = breakdownOf(instances);
  return Object.fromEntries(Object.entries(phases).map(([name, { meanMs }]) => [name, Math.round(meanMs * 1_000)]));
}

function withFinish(finishUs: number, number: number): TracedInstance {
  return simulatedInstance({ ...LIFE, finishUs }, CLOCKS, { number });
}

function partsUs(parts: readonly { readonly ms: number }[]): number {
  return parts.reduce((sum, { ms }) => sum + 1_000 * ms, 0);
}

describe("the examples", () => {
  test("are the median and the slowest, with what they spent their time on in order", () => {
    const instances = [9_000, 900_000, 90_000].map(withFinish);
    const [median, slowest, ...more] = breakdownOf(instances).examples!;
    expect(more).toEqual([]);
    expect([median, slowest].map(({ rank, instanceId } = slowest!) => [rank, instanceId])).toEqual([
      ["median", instances[2]!.instanceId],
      ["slowest", instances[1]!.instanceId],
    ]);
    // Three do not tell the clocks closely enough: what is one phase is at the place of the second of the two.
    const iteration = "schedule execute queueAndReturn fanIn";
    expect(median!.parts.map(({ phase }) => phase).join(" ")).toBe(
      `slip firstDispatch ${iteration} ${iteration} finish startAndNotice`,
    );
    expect(median!.parts.at(-2)).toEqual({ phase: "finish", ms: 90 });
    expect(partsUs(median!.parts)).toBeCloseTo(1_000 * median!.wholeMs, 3);
    expect(breakdownOf([withFinish(1, 0)]).examples).toHaveLength(1);
  });

  test("of many parts are slices of the time", () => {
    const iterations = Array.from({ length: 100 }, () => LIFE.iterations[1]!);
    const [{ parts, wholeMs } = { parts: [], wholeMs: 0 }] = breakdownOf([
      simulatedInstance({ ...LIFE, finishUs: 3_000_000, iterations }, CLOCKS),
    ]).examples!;
    expect(parts.length).toBeGreaterThan(1);
    expect(parts.length).toBeLessThanOrEqual(120);
    expect(partsUs(parts)).toBeCloseTo(1_000 * wholeMs, 1);
    expect(Math.abs(parts.at(-1)!.ms - 3_000)).toBeLessThan((2 * wholeMs) / 120);
  });
});

describe("the phases of an instance", () => {
  test("add up to its whole time, to the microsecond, whatever the clocks show; none is negative", () => {
    fc.assert(
      fc.property(anyLife, clocks, fc.boolean(), (life, shown, isStamped) => {
        const instance = simulatedInstance(life, shown, { isStamped });
        const { phases = {}, wholeMs = 0, contradictory } = breakdownOf([instance]);
        expect(contradictory).toBeUndefined();
        const all: readonly PhaseTime[] = Object.values(phases);
        const sumUs = all.reduce((sum, { meanMs }) => sum + Math.round(meanMs * 1_000), 0);
        expect(sumUs).toBe(instance.endedUs - instance.intendedUs);
        expect(sumUs).toBe(Math.round(wholeMs * 1_000));
        expect(all.filter(({ meanMs }) => meanMs < 0)).toEqual([]);
        expect(all.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(sumUs === 0 ? 0 : 1, 9);
      }),
    );
  });

  test("on one clock are what they were; across clocks they are within the bound", () => {
    fc.assert(
      fc.property(fc.array(anyLife, { minLength: 1, maxLength: 5 }), clocks, (lives, shown) => {
        const { phases = {} } = breakdownOf(lives.map((life, number) => simulatedInstance(life, shown, { number })));
        const isOff = (name: "start" | "notice", true_: number): boolean => {
          const phase = phases[name];
          return phase !== undefined && Math.abs(phase.meanMs * 1_000 - true_) > (phase.boundMs ?? 0) * 1_000 + 1;
        };
        const meanOf = (of: (life: SimulatedLife) => number): number =>
          lives.reduce((sum, life) => sum + of(life), 0) / lives.length;
        expect(
          isOff(
            "start",
            meanOf(({ startUs }) => startUs),
          ),
        ).toBe(false);
        expect(
          isOff(
            "notice",
            meanOf(({ noticeUs }) => noticeUs),
          ),
        ).toBe(false);
        expect(phases.slip?.meanMs).toBeCloseTo(meanOf(({ slipUs }) => slipUs) / 1_000, 6);
        expect(phases.finish?.meanMs).toBeCloseTo(meanOf(({ finishUs }) => finishUs) / 1_000, 6);
        expect(phases.firstDispatch?.meanMs).toBeCloseTo(meanOf((life) => life.firstDispatchUs) / 1_000, 6);
      }),
    );
  });

  test("are those of the activity that finished last, in each iteration", () => {
    // Its messages take no time, and so tell both clocks.
    const quick: SimulatedLife = {
      slipUs: 0,
      startUs: 0,
      answerUs: 0,
      firstDispatchUs: 0,
      iterations: [{ scheduleUs: 0, activities: [{ queueUs: 0, executeUs: 0, returnUs: 0 }], fanInUs: 0 }],
      finishUs: 0,
      noticeUs: 0,
    };
    const instances = [LIFE, quick].map((life, number) => simulatedInstance(life, CLOCKS, { number }));
    const twice = Object.fromEntries(Object.entries(phasesOf(instances)).map(([name, us]) => [name, 2 * us]));
    const expected = Object.entries({
      slip: 1_000,
      start: 2_000,
      firstDispatch: 3_000,
      schedule: 5_000,
      queue: 10_000,
      execute: 70_000,
      return: 6_000,
      fanIn: 8_000,
      finish: 9_000,
      notice: 2_000,
    });
    expect(Object.keys(twice)).toEqual(expected.map(([name]) => name));
    for (const [name, us] of expected) expect(Math.abs(twice[name]! - us)).toBeLessThan(100);
    expect(twice["execute"]).toBe(70_000);
  });

  test("across clocks that are not known closely enough are given as one, which no clock has a part in", () => {
    expect(phasesOf([simulatedInstance(LIFE, CLOCKS)])).toMatchObject({
      execute: 70_000,
      queueAndReturn: 16_000,
      startAndNotice: 4_000,
    });
  });

  test("without stamps are one, from TaskScheduled to TaskCompleted", () => {
    const phases = phasesOf([simulatedInstance(LIFE, CLOCKS, { isStamped: false })]);
    expect(phases).toMatchObject({ activity: 86_000 });
    expect(phases).not.toHaveProperty("execute");
  });
});

describe("instances that did not just run and complete", () => {
  const whole = simulatedInstance(LIFE, CLOCKS);
  const CUT = whole.history.findIndex(({ kind }) => kind === "ended");

  test.each<[string, Partial<TracedInstance>, "finish" | "open", number]>([
    ["failed", { outcome: "failed" }, "finish", 9_000],
    ["terminated", { outcome: "terminated" }, "open", 9_000],
    [
      "unfinished",
      { outcome: "unfinished", history: whole.history.slice(0, CUT), endedUs: whole.endedUs + 1_000_000 },
      "open",
      1_011_000,
    ],
  ])("%s: in it, and marked", (outcome, change, last, lastUs) => {
    const instance = { ...whole, ...change };
    // The other one tells the clocks.
    const { orchestrations, phases = {}, wholeMs = 0 } = breakdownOf([instance, whole]);
    expect(orchestrations).toMatchObject({ traced: 2, completed: 1, [outcome]: 1 });
    const sumUs = Object.values(phases).reduce((sum, { meanMs }) => sum + 2_000 * meanMs, 0);
    expect(sumUs).toBeCloseTo(instance.endedUs - instance.intendedUs + whole.endedUs - whole.intendedUs, 3);
    expect(sumUs).toBeCloseTo(2_000 * wholeMs, 3);
    // From the last episode to the end, which is the client's where the run's end is it.
    const boundUs = outcome === "unfinished" ? 2_500 : 1;
    expect(Math.abs((phases[last]?.each.max ?? 0) * 1_000 - lastUs)).toBeLessThan(boundUs);
  });

  test("continued as new: what is gone from the history is one phase", () => {
    const createdUs = whole.createdUs! - 1_000_000;
    const earlier = { ...whole, createdUs, sentUs: whole.sentUs - 1_000_000, intendedUs: whole.intendedUs - 1_000_000 };
    const acceptedUs = whole.acceptedUs! - 1_000_000;
    expect(phasesOf([{ ...earlier, acceptedUs }])).toMatchObject({ earlierExecutions: 1_000_000, execute: 70_000 });
  });

  test("of which the history is gone, or whose times contradict each other, are left out and counted", () => {
    const gone = { ...whole, history: [] };
    const impossible = { ...whole, endedUs: whole.intendedUs + 10 };
    expect(breakdownOf([gone])).toEqual({
      orchestrations: { traced: 0, completed: 0, failed: 0, terminated: 0, unfinished: 0, retried: 0 },
      contradictory: 1,
    });
    expect(breakdownOf([impossible])).toMatchObject({ contradictory: 1 });
  });
});

describe("shares", () => {
  test("are mean over mean, with an interval that covers the truth in 95 of 100 samples", () => {
    // Of each sample of 30: a phase that is uniform from 0 to 100 ms, of a whole that has 50 ms besides.
    const random = seeded(7);
    let covered = 0;
    for (let sample = 0; sample < 400; sample += 1) {
      const instances = Array.from({ length: 30 }, (_, number) => {
        const finishUs = Math.round(random() * 100_000);
        const life = { ...LIFE, iterations: [], slipUs: 50_000, startUs: 0, firstDispatchUs: 0, noticeUs: 0, finishUs };
        return simulatedInstance(life, CLOCKS, { number });
      });
      const { from, to } = breakdownOf(instances).phases!.finish!.shareInterval!;
      if (from <= 0.5 && 0.5 <= to) covered += 1;
    }
    expect(covered / 400).toBeGreaterThan(0.92);
    expect(covered / 400).toBeLessThan(0.98);
  });

  test("of one instance have none", () => {
    expect(breakdownOf([simulatedInstance(LIFE, CLOCKS)]).phases?.finish).not.toHaveProperty("shareInterval");
  });
});

/** Mulberry32 (Tommy Ettinger, public domain). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let hash = Math.imul(state ^ (state >>> 15), 1 | state);
    hash = (hash + Math.imul(hash ^ (hash >>> 7), 61 | hash)) ^ hash;
    return ((hash ^ (hash >>> 14)) >>> 0) / 2 ** 32;
  };
}
