import { describe, expect, test } from "vitest";
import { freePort } from "../support/backend/free-port.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { activitiesReach } from "../support/e2e/hub-inspector.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const DRAINS = 3;
const NEEDED = 3_000;
/** The share of the activities in which workers are drained. */
const UNTIL = 0.6;

describe("fanout worker", () => {
  test("one after the other drained by SIGTERM, no work item is delivered twice", async () => {
    const place = await Workplace.open();
    // All at the start: while one starts in the middle, a run may come to its end.
    const last = await connectedWorker(place);
    const drained = await Promise.all(Array.from({ length: DRAINS }, () => connectedWorker(place)));
    const run = place.start(runOf(NEEDED));
    for (const [index, worker] of drained.entries()) {
      await activitiesReach((NEEDED * UNTIL * (index + 1)) / DRAINS, place.socket, run);
      worker.kill("SIGTERM");
      const { code, stderr } = await worker.ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stderr).toMatch(/^Draining: [\d,]+ work items? in flight/mu);
      expect(completedBy(stderr)).toBeGreaterThan(0);
    }
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(parseRunResult(stdout).counts.activities).toMatchObject({ needed: NEEDED, completed: NEEDED });
    expect(await place.runningEmulator()).toMatchObject({ redelivered: 0, workers: 1 });
    last.kill("SIGTERM");
    expect(await last.ended).toMatchObject({ code: 0 });
  });

  test("a killed worker's items are delivered again, and counted once", async () => {
    const place = await Workplace.open();
    const worker = await connectedWorker(place);
    const needed = NEEDED / 2;
    const run = place.start(runOf(needed));
    await activitiesReach(needed / 6, place.socket, run);
    worker.kill("SIGKILL");
    await connectedWorker(place);
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(parseRunResult(stdout).counts.activities).toMatchObject({ needed, completed: needed });
    expect((await place.runningEmulator()).redelivered).toBeGreaterThan(0);
  });

  test("survives a killed emulator: it says so, starts it again, and continues", async () => {
    const place = await Workplace.open();
    const worker = await connectedWorker(place);
    const { pid } = await place.runningEmulator();
    const before = worker.output.length;
    process.kill(pid, "SIGKILL");
    await worker.says(/No connection to the embedded emulator, task hub default, trying again/u, before);
    await worker.says(/the embedded emulator was gone/u, before);
    await worker.says(/Connected to the embedded emulator, task hub default/u, before);
    expect((await place.runningEmulator()).pid).not.toBe(pid);
    await place.succeed("run --workers 0");
    expect(worker.running).toBe(true);
  });

  test("waits for a backend that does not answer yet", async () => {
    const place = await Workplace.open();
    const port = await freePort();
    const connection = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=late`;
    const worker = place.start("worker --port 0 --connection-string", connection);
    await worker.says(new RegExp(`No connection to http://127.0.0.1:${port}, task hub late, trying again`, "u"));
    const emulator = place.start(`emulator --port ${port} --task-hubs late`);
    await worker.says(new RegExp(`Connected to http://127.0.0.1:${port}, task hub late`, "u"));
    await place.succeed("run --connection-string", connection);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Drained: 50 activities/mu) });
    emulator.kill("SIGINT");
    expect(await emulator.ended).toMatchObject({ code: 0 });
  });

  test("answers /status and /health, and a second one on the same port names --port", async () => {
    const place = await Workplace.open();
    const worker = await connectedWorker(place);
    const [, url = ""] = await worker.says(/Status on (http:\/\/127\.0\.0\.1:\d+)\/status/u);
    const status = await fetch(`${url}/status`);
    expect(status.status).toBe(200);
    expect(await status.json()).toEqual({
      status: "Running",
      service: "Worker Service",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u),
      connected: true,
      connectedSince: expect.any(String),
      draining: false,
      inFlight: 0,
      executed: { activities: 0, episodes: 0 },
    });
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    const health = await fetch(`${url}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toEqual({ status: "Healthy" });

    const { port } = new URL(url);
    const second = await place.run(`worker --port ${port}`);
    expect(second).toMatchObject({ code: 2, stdout: "" });
    expect(second.stderr).toMatch(new RegExp(`^error: Port ${port} on 127.0.0.1 is in use.*--port`, "mu"));
  });
});

test("a worker gives back by name what does not end in time, and another one executes it", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0 --log json --drain-timeout 2s");
  const [, url = ""] = await worker.says(/Status on (http:\/\/127\.0\.0\.1:\d+)\/status/u);
  await worker.says(/Connected to the embedded emulator/u);
  // Longer than it takes to see them there, and than they are waited for after that.
  const load = "--parallel-orchestrations 1 --iterations 1 --parallel-activities 2 --activity-duration 6s";
  const run = place.start(`run --workers 0 --json --run-id slow ${load}`);
  const asked = async (page: string): Promise<Response> => fetch(`${url}/${page}`);
  await expect.poll(async () => await (await asked("status")).json()).toMatchObject({ inFlight: 2 });
  worker.kill("SIGTERM");
  await worker.says(/Draining/u);
  const ready = await asked("ready");
  expect({ status: ready.status, body: await ready.json() }).toMatchObject({
    status: 503,
    body: { reason: "draining" },
  });
  const { code, stderr } = await worker.ended;
  expect(code).toBe(1);
  const log = stderr
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  expect(log).toContainEqual({
    time: expect.any(String),
    level: "warning",
    message: expect.stringMatching(
      /^2 work items did not end in time, given back: activity \w+ slow-\S+#\d, activity \w+ slow-\S+#\d$/u,
    ),
  });
  const next = await connectedWorker(place);
  expect(await run.ended).toMatchObject({ code: 0 });
  expect(next.running).toBe(true);
});

test("workers without --port, and one without HTTP, run side by side", async () => {
  const place = await Workplace.open();
  const [first, second] = [place.start("worker"), place.start("worker")];
  const [, one] = await first.says(/Status on \S+:(\d+)\/status/u);
  const [, other] = await second.says(/Status on \S+:(\d+)\/status/u);
  expect(one).not.toBe(other);
  const silent = place.start("worker --no-http");
  await silent.says(/Connected to the embedded emulator/u);
  silent.kill("SIGTERM");
  const { stderr } = await silent.ended;
  expect(stderr).not.toContain("Status on");
});

/** A run of this number of activities, 150 in each orchestration. */
function runOf(activities: number): string {
  // Of 100 ms each: so the run lasts seconds on any machine, and there is something to drain in the middle of it.
  const load = `--parallel-orchestrations ${activities / 150} --iterations 30 --parallel-activities 5`;
  return `run --json --allow-invalid --workers 0 ${load} --activity-duration 100ms`;
}

async function connectedWorker(place: Workplace): Promise<FanoutProcess> {
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to the embedded emulator/u);
  return worker;
}

/** What a drained worker says it has done. */
function completedBy(stderr: string): number {
  return Number(/^Drained: ([\d,]+) activit/mu.exec(stderr)?.[1]?.replaceAll(",", ""));
}
