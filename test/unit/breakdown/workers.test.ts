import { describe, expect, test } from "vitest";
import { clocksOf } from "../../../src/breakdown/clocks.js";
import { workersOf } from "../../../src/breakdown/workers.js";
import type { OwnWork } from "../../../src/protocol/worker-messages.js";
import { uniformAt } from "../../../src/orchestrations/hash-draw.js";
import { aheadBy, simulatedInstance } from "../../support/breakdown/simulated-instance.js";

/** Forty orchestrations on two workers in turn; an activity of `slow` waits for that much longer. */
function run(extraUs: (number: number) => number, ownWork?: readonly OwnWork[]) {
  const instances = Array.from({ length: 40 }, (_, number) => {
    const executeUs = 20_000 + Math.round(10_000 * uniformAt(5, number));
    const activities = [{ queueUs: 100 + extraUs(number), executeUs, returnUs: 100 }];
    const iterations = [{ scheduleUs: 0, activities, fanInUs: 0 }];
    const life = { slipUs: 0, startUs: 500, answerUs: 500, firstDispatchUs: 0, iterations, finishUs: 0, noticeUs: 500 };
    const workerId = number % 2 === 0 ? "even" : "odd";
    const clocks = { backend: aheadBy(77), worker: aheadBy(number % 2 === 0 ? 5_000_000 : 0) };
    return simulatedInstance(life, clocks, { number, workerId });
  });
  return workersOf(instances, clocksOf(instances).workers, ownWork);
}

describe("the workers of the traced orchestrations", () => {
  test("have what they executed, and their clock against the backend's", () => {
    const [even, odd] = run(() => 0);
    expect(even).toMatchObject({ workerId: "even", activities: 20, execute: { count: 20 } });
    expect(Math.abs(even!.clockOffsetMs! - 5_000 + 0.077)).toBeLessThan(even!.clockBoundMs!);
    expect(Math.abs(odd!.clockOffsetMs! + 0.077)).toBeLessThan(odd!.clockBoundMs!);
  });

  test("of the run itself have what they executed in the whole run, also if nothing of that was traced", () => {
    const told = { activities: 400, episodes: 220, orchestratorMs: 31.5, slowestMs: 71 };
    const version = "0.9.1";
    const [idle, even, odd] = run(
      () => 0,
      [
        { workerId: "even", version, ...told },
        { workerId: "a-pod-5-12", version, activities: 0, episodes: 3, orchestratorMs: 1, slowestMs: 0 },
      ],
    );
    expect(even).toMatchObject({ workerId: "even", activities: 20, wholeRun: told });
    expect(idle).toEqual({
      workerId: "a-pod-5-12",
      host: "a-pod-5",
      version,
      activities: 0,
      wholeRun: { activities: 0, episodes: 3, orchestratorMs: 1 },
    });
    expect(odd).not.toHaveProperty("wholeRun");
    expect(odd).not.toHaveProperty("version");
    expect(odd).not.toHaveProperty("host");
  });

  test("one that was stopped for a second differs; by noise none does", () => {
    expect(run(() => 0).map((worker) => worker.timesTheOthers)).toEqual([undefined, undefined]);
    const [even, odd] = run((number) => (number % 2 === 1 ? 1_000_000 : 0));
    expect(odd!.timesTheOthers).toBeGreaterThan(30);
    expect(even!.timesTheOthers).toBeLessThan(1);
  });
});
