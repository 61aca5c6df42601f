import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "../../src/result/run-result.js";
import { HubInspector, activitiesIn } from "../support/e2e/hub-inspector.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

describe("orchestrations that do more than fan out and in", () => {
  test("continue as new with --continue-as-new-every, lose nothing, and their extra actions are counted", async () => {
    const size = "--parallel-orchestrations 3 --iterations 10 --parallel-activities 4 --continue-as-new-every 3";
    const { stdout, stderr } = await place.succeed(`run --workers 0 --json ${size}`);
    const { counts, plan, runId } = parseRunResult(stdout);
    // 3 x (4 executions + 2 x 40 activities)
    expect(stderr).toContain("= 120 activities, 252 actions");
    expect(counts).toMatchObject({ activities: { needed: 120, completed: 120 }, actions: 252 });
    expect(plan).toMatchObject({ continueAsNewEvery: 3 });
    const inspector = new HubInspector(place.socket);
    expect(await inspector.completedActivities(runId)).toBe(120);
    // The history is that of the last execution: iteration 9 alone.
    expect(activitiesIn(await inspector.history(`${runId}-00000-000`)).completed).toHaveLength(4);
    await inspector.close();
  });

  test("share the activities of a fan-out among sub-orchestrations, and wait between iterations", async () => {
    const flags = "--iterations 3 --parallel-activities 4 --sub-orchestrations 2 --timer 60ms --trace-sample 100%";
    const { stdout, stderr } = await place.succeed(`run --workers 0 --json ${flags}`);
    // 1 execution + 2 x 12 activities + 2 x 6 sub-orchestrations + 2 timers
    expect(stderr).toContain("x 4 activities in 2 sub-orchestrations = 12 activities, 39 actions");
    const { counts, breakdown, latencyMs, plan, runId } = parseRunResult(stdout);
    expect(counts).toMatchObject({ activities: { needed: 12, completed: 12 }, actions: 39 });
    expect(plan).toMatchObject({ subOrchestrations: 2, timer: { duration: { kind: "constant", ms: 60 } } });
    expect(latencyMs.server?.max).toBeGreaterThanOrEqual(120);
    expect(breakdown?.phases?.timer?.meanMs).toBeGreaterThan(0);
    const inspector = new HubInspector(place.socket);
    const history = await inspector.history(`${runId}-00000-000:2.1`);
    await inspector.close();
    expect(activitiesIn(history).completed).toHaveLength(2);
  });

  test("retry failed activities with --retries, and each activity counts once", async () => {
    const { stdout } = await place.succeed("run --workers 0 --json --iterations 4 --failure-rate 30% --retries 30");
    const { counts, throughput, runId } = parseRunResult(stdout);
    expect(counts.activities).toMatchObject({ needed: 20, completed: 20 });
    // What failed and was tried again is billed too, and is in the history alone.
    const inspector = new HubInspector(place.socket);
    const billed = await inspector.billed(runId);
    await inspector.close();
    expect(counts.actions).toBe(billed);
    expect(throughput?.actionsPerSecond).toBeCloseTo((billed * 1_000) / throughput!.makespanMs!, 6);
  });

  test("fail with a reason if an activity fails without retries", async () => {
    const { code, stdout } = await place.run("run --workers 0 --iterations 1 --parallel-activities 1 --failure-rate 1");
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /ActivitiesFailed: \d+ of \d+ activities of iteration 0 failed, the first with: Activity \(0, \d+\) fails as asked, at rate [\d.]+\n/u,
    );
    expect(stdout).toContain("Activity (0, 0) fails as asked, at rate 1");
  });

  test("have activities of the requested duration and payloads of the requested size", async () => {
    const cost = "--activity-duration 50ms --input-bytes 1k --output-bytes 2k";
    const { stdout } = await place.succeed(`run --workers 0 --json --iterations 3 --parallel-activities 2 ${cost}`);
    const { latencyMs, runId } = parseRunResult(stdout);
    // Three iterations one after the other; a timer may fire up to a millisecond early.
    expect(latencyMs.response?.max).toBeGreaterThan(147);
    const inspector = new HubInspector(place.socket);
    const history = JSON.stringify(await inspector.history(`${runId}-00000-000`));
    await inspector.close();
    expect(history.match(/x{1000,}/gu)?.map(({ length }) => length)).toEqual(
      expect.arrayContaining([...Array.from({ length: 6 }, () => 1_000), ...Array.from({ length: 6 }, () => 2_000)]),
    );
  });
});

describe("somebody's own orchestration", () => {
  test("starts with its input, and has no guessed activities", async () => {
    await writeFile(join(place.root, "input.json"), '{"iterations": 2, "parallelActivities": 3}');
    const input = join(place.root, "input.json");
    const line = "run --json --workers 0 --orchestrator FanOutFanInOrchestration --parallel-orchestrations 4";
    const { stdout, stderr } = await place.succeed(line, "--input", `@${input}`);
    const { counts, plan, throughput, runId } = JSON.parse(stdout) as RunResult;
    expect(stderr).toContain("4 orchestrations of FanOutFanInOrchestration, whose activities and actions are unknown");
    expect(plan).not.toHaveProperty("iterations");
    expect(plan).toMatchObject({ orchestrator: "FanOutFanInOrchestration" });
    expect(counts).not.toHaveProperty("activities");
    expect(counts).not.toHaveProperty("actions");
    expect(Object.keys(throughput!)).toEqual(["makespanMs", "orchestrationsPerSecond"]);
    const inspector = new HubInspector(place.socket);
    expect(await inspector.completedActivities(runId)).toBe(24);
    await inspector.close();
  });

  test("fails if no worker hosts it, and the run says so", async () => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("run --workers 1 --worker-timeout 1s --orchestrator Nobody");
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Incomplete: 0 of 1 orchestration completed .*, 1 never started$/mu);
    expect(stderr).toMatch(/^error: no worker on task hub default hosts Nobody for 1 s/mu);
  });

  test("waits for the worker that hosts it, and the run names it", async () => {
    const place = await Workplace.open();
    const { code, stderr } = await place.run("run --orchestrator Order --worker-timeout 500ms");
    expect(code).toBe(1);
    expect(stderr).toContain("start the worker that hosts Order");
    expect(stderr).not.toContain("worker process for this run");
  });
});
