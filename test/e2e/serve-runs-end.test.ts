import { expect, onTestFinished, test, vi } from "vitest";
import { servedRunsOf, workersOf } from "../support/e2e/process-table.js";
import { RunApi, RUNS } from "../support/e2e/run-api.js";
import { ENDLESS, inFlight, serving, SMALL } from "../support/e2e/serving-runs.js";
import { Workplace } from "../support/e2e/workplace.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";

const TERMINATIONS = ["TerminateInstance", "SkipGracefulOrchestrationTerminations"];

test("a cancelled run terminates its orchestrations, and keeps the result so far", async () => {
  const { api } = await serving();
  const { runId } = (await api.start(ENDLESS)).body;
  await inFlight(api, runId);
  expect(await api.ask(`${RUNS}/${runId}/result`)).toMatchObject({ status: 409, body: { code: "run-in-progress" } });
  expect(await api.cancel(runId)).toMatchObject({ status: 202, body: { status: "ending" } });
  expect(await api.ended(runId)).toMatchObject({ status: "cancelled" });
  expect((await api.ask(`${RUNS}/${runId}/result`)).body).toMatchObject({
    interrupted: true,
    counts: { orchestrations: { terminated: 2 } },
  });
  // It has ended, and stays as it is.
  expect(await api.cancel(runId)).toMatchObject({ status: 202, body: { status: "cancelled" } });
});

test("what a cancelled run could not terminate in time is terminated by the server", async () => {
  const place = await Workplace.open();
  await place.start("worker --port 0").says(/Connected to/u);
  let isDeaf = true;
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, [], {
    fateOf: (method) => (isDeaf && TERMINATIONS.includes(method) ? "call lost" : "arrives"),
  });
  onTestFinished(() => backend.close());
  const serve = place.start("serve --port 0", "--connection-string", backend.connectionString("default"));
  const api = await RunApi.of(serve);
  const { runId } = (await api.start({ ...ENDLESS, workers: 0, maxActions: 100_000 })).body;
  await inFlight(api, runId);
  await api.cancel(runId);
  await vi.waitFor(async () => {
    expect((await api.get(runId)).body.lines.join("\n")).toContain("not all could be terminated in time");
  }, 45_000);
  isDeaf = false;
  const sentence = "Its 2 orchestrations in flight were terminated.";
  const run = await api.ended(runId);
  expect(run).toMatchObject({ status: "cancelled" });
  expect(run.lines.at(-1)).toBe(sentence);
  await serve.says(new RegExp(`^Run ${runId} was cancelled\\. ${sentence}`, "mu"));
  expect((await place.succeed(`status --run ${runId} --json`)).stdout).toMatch(/"Terminated": ?2/u);
});

test("what the run of a killed server could not terminate in time, it goes on terminating", async () => {
  const place = await Workplace.open();
  await place.start("worker --port 0").says(/Connected to/u);
  let deaf: "not yet" | "now" | "no more" = "not yet";
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, [], {
    fateOf: (method) => {
      // The first attempt is given up when the run asks what is left.
      if (deaf === "now" && method === "QueryInstances") deaf = "no more";
      if (deaf === "no more" || !TERMINATIONS.includes(method)) return "arrives";
      deaf = "now";
      return "call lost";
    },
  });
  onTestFinished(() => backend.close());
  const serve = place.start("serve --port 0", "--connection-string", backend.connectionString("default"));
  const api = await RunApi.of(serve);
  const { runId } = (await api.start({ ...ENDLESS, workers: 0, maxActions: 100_000 })).body;
  await inFlight(api, runId);
  const [pid = 0] = servedRunsOf(serve.pid);
  serve.kill("SIGKILL");
  await serve.ended;
  await expect.poll(() => isAlive(pid), { timeout: 45_000 }).toBe(false);
  expect((await place.succeed(`status --run ${runId} --json`)).stdout).toMatch(/"Terminated": ?2/u);
});

test("SIGTERM of the server cancels its runs, terminates their orchestrations, and says so", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start(ENDLESS)).body;
  await inFlight(api, runId);
  serve.kill("SIGTERM");
  const { code, stderr } = await serve.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/^Cancelling 1 run\./mu);
  expect(stderr).toMatch(new RegExp(`^Run ${runId} was cancelled: 2 orchestrations terminated`, "mu"));
  await place.succeed(`status --run ${runId}`);
  expect((await place.succeed(`status --run ${runId} --json`)).stdout).toMatch(/"Terminated": ?2/u);
});

test("after SIGTERM the server is not ready and starts nothing, while it waits for its runs", async () => {
  const { serve, api } = await serving();
  const { runId } = (await api.start(ENDLESS)).body;
  await inFlight(api, runId);
  const [pid = 0] = servedRunsOf(serve.pid);
  process.kill(pid, "SIGSTOP");
  serve.kill("SIGTERM");
  await serve.says(/^Cancelling 1 run\./mu);
  const stopping = { status: 503, body: { code: "server-stopping" } };
  expect(await api.ask("/readyz")).toMatchObject(stopping);
  expect(await api.ask("/api/orchestrations", { method: "POST" })).toMatchObject(stopping);
  expect(await api.start(SMALL)).toMatchObject(stopping);
  expect(await api.get(runId)).toMatchObject({ status: 200, body: { status: "ending" } });
  process.kill(pid, "SIGCONT");
  expect(await serve.ended).toMatchObject({ code: 0 });
});

test("a server that is killed takes its run along, which terminates its orchestrations", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start(ENDLESS)).body;
  await inFlight(api, runId);
  const [pid = 0] = servedRunsOf(serve.pid);
  serve.kill("SIGKILL");
  await serve.ended;
  await expect.poll(() => isAlive(pid), { timeout: 45_000 }).toBe(false);
  expect((await place.succeed(`status --run ${runId} --json`)).stdout).toMatch(/"Terminated": ?2/u);
});

test("a run whose process is killed has failed, its orchestrations are terminated, and the next one starts", async () => {
  const { place, serve, api } = await serving();
  const { runId } = (await api.start(ENDLESS)).body;
  await inFlight(api, runId);
  const [pid = 0] = servedRunsOf(serve.pid);
  expect(workersOf(pid)).toHaveLength(1);
  process.kill(pid, "SIGKILL");
  expect(await api.ended(runId)).toMatchObject({
    status: "failed",
    error: {
      code: "run-died",
      message: `The process of the run was ended by SIGKILL (pid ${pid}). Its 2 orchestrations in flight were terminated.`,
    },
  });
  expect(await api.ask(`${RUNS}/${runId}/result`)).toMatchObject({ status: 404, body: { code: "no-result" } });
  expect((await place.succeed(`status --run ${runId} --json`)).stdout).toMatch(/"Terminated": ?2/u);
  const next = (await api.start(SMALL)).body;
  expect(await api.ended(next.runId)).toMatchObject({ status: "completed", exitCode: 0 });
});

test("a run that dies before it has checked its id leaves another run of that id alone", async () => {
  const { place, serve, api } = await serving();
  const other = place.start("run --run-id nightly --workers 1 --iterations 1 --activity-duration 10m");
  await other.says(/^\d+ s: 0 of 1 orchestration/mu);
  await api.start({ ...SMALL, runId: "nightly" });
  for (const pid of servedRunsOf(serve.pid)) process.kill(pid, "SIGKILL");
  expect(await api.ended("nightly")).toMatchObject({ status: "failed" });
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 1 });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
