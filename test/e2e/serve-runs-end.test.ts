import { expect, test } from "vitest";
import { servedRunsOf, workersOf } from "../support/e2e/process-table.js";
import { RUNS } from "../support/e2e/run-api.js";
import { ENDLESS, inFlight, serving, SMALL } from "../support/e2e/serving-runs.js";

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
  const { runId } = (await api.start({ ...ENDLESS, workers: 1 })).body;
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

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
