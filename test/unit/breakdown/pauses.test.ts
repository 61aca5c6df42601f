import { describe, expect, test } from "vitest";
import { pausesOf, type Execution } from "../../../src/breakdown/pauses.js";
import { uniformAt } from "../../../src/orchestrations/hash-draw.js";

const SECOND = 1_000_000;

interface Simulated {
  readonly seed?: number;
  readonly slots?: number;
  /** Of one execution, by a number from 0 to 1. */
  readonly lastsUs: (uniform: number) => number;
  /** From its second to its third second this worker does nothing. */
  readonly isStopped?: boolean;
}

/** What a worker executes in ten seconds with all of its slots always taken. */
function worker({ seed = 1, slots = 20, lastsUs, isStopped = false }: Simulated): readonly Execution[] {
  const heldUp = (us: number): number => (isStopped && us > 2 * SECOND && us < 3 * SECOND ? 3 * SECOND : us);
  return Array.from({ length: slots }, (_, slot) => {
    const executions: Execution[] = [];
    let startedUs = slot * 1_000;
    while (startedUs < 10 * SECOND) {
      const uniform = uniformAt(seed * slots + slot, executions.length);
      const finishedUs = Math.max(startedUs, heldUp(Math.round(startedUs + lastsUs(uniform))));
      executions.push({ startedUs, finishedUs });
      startedUs = finishedUs + 100;
    }
    return executions;
  }).flat();
}

const shapes = {
  constant: () => 100_000,
  "as long as a pause": () => SECOND,
  exponential: (uniform: number) => -100_000 * Math.log(1 - uniform),
  "heavy-tailed": (uniform: number) => Math.min(5 * SECOND, 50_000 * (1 - uniform) ** -0.9),
  "seldom slow": (uniform: number) => (uniform > 0.98 ? 2 * SECOND : 100_000),
  "quick or slow": (uniform: number) => (uniform < 0.5 ? 1_000 : 2 * SECOND),
};

describe("the pause of a worker", () => {
  test("that was stopped for a second is found, with when and how long", () => {
    const other = worker({ lastsUs: shapes.exponential, seed: 2 });
    const stopped = worker({ lastsUs: shapes.exponential, isStopped: true });
    const pauses = pausesOf(new Map([["other", other] as const, ["stopped", stopped] as const]));
    expect([...pauses.keys()]).toEqual(["stopped"]);
    const { at, lengthMs, inHand } = pauses.get("stopped")!;
    expect(Date.parse(at)).toBeGreaterThan(1_900);
    expect(Date.parse(at)).toBeLessThanOrEqual(2_000);
    expect(lengthMs).toBeGreaterThanOrEqual(1_000);
    expect(lengthMs).toBeLessThan(1_100);
    expect(inHand).toBe(20);
  });

  test("is found where the others had nothing to do meanwhile", () => {
    const idle = worker({ lastsUs: shapes.constant }).filter(({ finishedUs }) => finishedUs < 2.2 * SECOND);
    const stopped = worker({ lastsUs: shapes.constant, isStopped: true });
    expect([...pausesOf(new Map([["idle", idle] as const, ["stopped", stopped] as const])).keys()]).toEqual([
      "stopped",
    ]);
  });

  test("is nobody's if all paused", () => {
    const [one, two] = [1, 2].map((seed) => worker({ lastsUs: shapes.exponential, isStopped: true, seed }));
    expect(pausesOf(new Map([["one", one!] as const, ["two", two!] as const])).size).toBe(0);
  });

  test("is found where another one executes something long meanwhile", () => {
    const other = worker({ lastsUs: () => 2 * SECOND, slots: 1 });
    const stopped = worker({ lastsUs: shapes.constant, isStopped: true });
    expect([...pausesOf(new Map([["other", other] as const, ["stopped", stopped] as const])).keys()]).toEqual([
      "stopped",
    ]);
  });

  test("is nobody's if another one with little in hand paused too", () => {
    const [few, many] = [4, 20].map((slots) => worker({ lastsUs: shapes.constant, isStopped: true, slots }));
    expect(pausesOf(new Map([["few", few!] as const, ["many", many!] as const])).size).toBe(0);
  });

  test("is not told from one activity that takes its time", () => {
    const alone = worker({ lastsUs: shapes["seldom slow"], slots: 1 });
    expect(pausesOf(new Map([["alone", alone]])).size).toBe(0);
  });

  test.each(Object.entries(shapes))("is in at most one of 100 quiet runs: activities are %s", (_, lastsUs) => {
    const found = Array.from({ length: 100 }, (_, seed) => {
      const workers = [1, 2, 4].map(
        (slots) => [`${slots} slots`, worker({ lastsUs, slots, seed: 1 + 7 * seed + slots })] as const,
      );
      return pausesOf(new Map(workers)).size;
    });
    expect(found.filter((pauses) => pauses > 0).length).toBeLessThanOrEqual(1);
  });
});
