import { HistoryEventType } from "@microsoft/durabletask-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stampsOf } from "../../src/breakdown/stamps.js";
import { HubInspector } from "../support/e2e/hub-inspector.js";
import { parseRunResult, type FanOutResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";
import { MovableClock, canMoveClock } from "../support/movable-clock.js";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

/** The traced orchestrations' phases of a run; that they add up is checked for every result. */
async function breakdownOf(flags: string): Promise<FanOutResult> {
  const { stdout } = await place.succeed(`run --json --allow-invalid --workers 0 ${flags}`);
  return parseRunResult(stdout);
}

describe("where the time of a run went", () => {
  test("activities of 50 ms take 50 ms, as their worker's stamps say", async () => {
    const { breakdown, runId } = await breakdownOf(
      "--parallel-orchestrations 5 --iterations 4 --parallel-activities 2 --activity-duration 50ms",
    );
    expect(breakdown?.orchestrations).toMatchObject({ traced: 5, completed: 5 });
    const { execute } = breakdown!.phases!;
    expect(execute?.each.count).toBe(20);
    // A timer may fire up to a millisecond early, and on a busy machine fires late: what the stamps say is what counts.
    expect(execute!.each.mean).toBeGreaterThan(49);
    const inspector = new HubInspector(place.socket);
    const histories = await Promise.all(
      Array.from({ length: 5 }, (_, number) => inspector.history(`${runId}-00000-00${number}`)),
    );
    await inspector.close();
    const stamps = histories.flat().flatMap((event) => {
      return event.type === HistoryEventType.TaskCompleted ? (stampsOf(event.result) ?? []) : [];
    });
    expect(stamps).toHaveLength(40);
    const lengths = stamps.map(({ startedUs, finishedUs }) => (finishedUs - startedUs) / 1_000);
    expect(execute!.each.mean).toBeGreaterThanOrEqual(Math.min(...lengths));
    expect(execute!.each.max).toBeLessThanOrEqual(Math.max(...lengths) + 0.001);
    expect(new Set(stamps.map(({ workerId }) => workerId)).size).toBe(1);
  });

  test("only traced orchestrations carry the trace, chosen by their number", async () => {
    const size = "--parallel-orchestrations 20 --iterations 1 --parallel-activities 1";
    const untraced = await breakdownOf(`${size} --trace-sample 0`);
    expect(untraced).not.toHaveProperty("breakdown");
    const half = await breakdownOf(`${size} --trace-sample 50%`);
    const inspector = new HubInspector(place.socket);
    const texts = async (runId: string) =>
      Promise.all(
        Array.from({ length: 20 }, async (_, number) =>
          JSON.stringify(await inspector.history(`${runId}-00000-${String(number).padStart(3, "0")}`)),
        ),
      );
    expect((await texts(untraced.runId)).filter((text) => /trace\b|startedAt|workerId/u.test(text))).toEqual([]);
    const stamped = (await texts(half.runId)).filter((text) => text.includes("workerId")).length;
    await inspector.close();
    expect(stamped).toBe(half.breakdown?.orchestrations.traced);
    expect(stamped).toBeGreaterThan(0);
    expect(stamped).toBeLessThan(20);
  });

  test("failed, retried and continued orchestrations are in it", async () => {
    const flags = "--iterations 4 --parallel-activities 2 --parallel-orchestrations 4 --workers 0 --json";
    const failing = await place.run(`run ${flags} --failure-rate 1`);
    const failed = parseRunResult(failing.stdout).breakdown!;
    expect(failed.orchestrations).toMatchObject({ traced: 4, failed: 4, retried: 4 });
    expect(failed.phases).toHaveProperty("activity");
    const retried = await breakdownOf("--iterations 4 --failure-rate 30% --retries 30");
    expect(retried.breakdown?.phases).toHaveProperty("timer");
    const continued = await breakdownOf("--iterations 6 --continue-as-new-every 2");
    expect(continued.breakdown?.phases).toMatchObject({
      earlierExecutions: { each: { count: 1 } },
      execute: { each: { count: 2 } },
    });
  });

  test("the run's own workers say what they executed", async () => {
    const { stdout } = await place.succeed("run --json --workers 1 --parallel-orchestrations 4 --iterations 5");
    const { counts, durationMs, workers = [] } = parseRunResult(stdout);
    const own = workers.filter(({ wholeRun }) => wholeRun);
    expect(own).toHaveLength(1);
    // All orchestrations are traced, and the other worker takes its part of them.
    expect(own[0]!.wholeRun!.activities).toBe(own[0]!.activities);
    expect(workers.reduce((sum, { activities }) => sum + activities, 0)).toBe(counts.activities.completed);
    expect(own[0]!.wholeRun!.orchestratorMs).toBeLessThan(durationMs);
    expect(own[0]!.wholeRun!.orchestratorMs > 0).toBe(own[0]!.wholeRun!.episodes > 0);
  });

  test("is in the summary", async () => {
    const { stdout } = await place.succeed("run --workers 0 --parallel-orchestrations 3");
    expect(stdout).toMatch(
      /^ {2}Where the time went +share +in each\n(?: {2}\S.* %.* m?s\n){5,7} {2}of 3 traced orchestrations, /mu,
    );
  });

  describe.skipIf(!canMoveClock)("with a second worker whose clock is off (needs libfaketime)", () => {
    test.each([5, -3_600])("by %i s: the bounds hold, and no phase is negative", async (aheadSeconds) => {
      const clock = new MovableClock(place.folder);
      clock.moveTo(aheadSeconds);
      const worker = place.startWith({ ...place.env, ...clock.env }, "worker --port 0");
      await worker.says(/Connected to/u);
      const { breakdown, workers = [] } = await breakdownOf("--parallel-orchestrations 8 --iterations 10");
      worker.kill("SIGTERM");
      await worker.ended;
      expect(breakdown?.orchestrations.traced).toBe(8);
      for (const { meanMs } of Object.values(breakdown!.phases!)) expect(meanMs).toBeGreaterThanOrEqual(0);
      const offsets = new Map(workers.map((told) => [told.workerId.endsWith(`-${worker.pid}`), told]));
      for (const [isAhead, seconds] of [
        [true, aheadSeconds],
        [false, 0],
      ] as const) {
        const { clockOffsetMs = NaN, clockBoundMs = NaN } = offsets.get(isAhead)!;
        // The library moves the clock by whole seconds, to within what setting it takes.
        expect(Math.abs(clockOffsetMs - 1_000 * seconds)).toBeLessThanOrEqual(clockBoundMs + 1);
      }
    });
  });
});
