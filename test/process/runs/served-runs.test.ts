import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { FanoutError, UsageError } from "../../../src/errors.js";
import { RunArchive } from "../../../src/runs/run-archive.js";
import { text } from "node:stream/consumers";
import type { RunResult } from "../../../src/result/run-result.js";
import { ServedRuns } from "../../../src/runs/served-runs.js";
import { sampleResult } from "../../support/report/sample-result.js";
import { PLANNED, scriptOf, scriptedRun } from "../../support/runs/scripted-run.js";

/** Runs until it is cancelled. */
const ENDLESS = endlessRun(sampleResult);
const ASKED = { body: { iterations: 1 }, key: undefined, plan: () => PLANNED, admit: () => Promise.resolve() };

function endlessRun(result: RunResult): string {
  const ended = JSON.stringify({ type: "ended", result: { ...result, interrupted: true }, aborted: false });
  return scriptOf({ prepare: 'tell({ type: "ready" })', interrupt: `tell(${ended}, () => process.exit())` });
}

function refusePlan(): never {
  throw new UsageError("invalid-value", "startAt: expected a time to come");
}

function refuseBackend(): Promise<never> {
  return Promise.reject(new FanoutError("backend-unreachable", "It is away."));
}

function servedRuns(before: () => Promise<void> = () => Promise.resolve()): ServedRuns {
  const runs = new ServedRuns({
    most: 1,
    start: async (options) => {
      await before();
      return scriptedRun(ENDLESS, options);
    },
    onStart: () => {},
    bodyOf: ({ runId, status }) => ({ runId, status }),
  });
  onTestFinished(() => runs.close());
  return runs;
}

test("a repeated start is the same run, also if its plan or its backend would be refused by now", async () => {
  const runs = servedRuns();
  const run = await runs.start({ ...ASKED, key: "a" });
  expect(await runs.start({ ...ASKED, key: "a", plan: refusePlan, admit: refuseBackend })).toBe(run);
});

test("a server that makes as many runs as it may does not ask the backend for another", async () => {
  const runs = servedRuns();
  const admitted = Promise.withResolvers<void>();
  const first = runs.start({ ...ASKED, admit: () => admitted.promise });
  let asked = 0;
  const admit = async (): Promise<void> => void (asked += 1);
  await expect(runs.start({ ...ASKED, admit })).rejects.toMatchObject({ code: "too-many-runs" });
  admitted.resolve();
  await first;
  await expect(runs.start({ ...ASKED, admit })).rejects.toMatchObject({ code: "too-many-runs" });
  expect(asked).toBe(0);
});

test("a start that was refused leaves its place and its key to the next one", async () => {
  const runs = servedRuns();
  const refused = runs.start({ ...ASKED, key: "a", admit: refuseBackend });
  await expect(refused).rejects.toMatchObject({ code: "backend-unreachable" });
  expect((await runs.start({ ...ASKED, key: "a" })).status).toBe("starting");
});

test("the end of the server waits for the runs that are being started", async () => {
  const [called, started] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const runs = servedRuns(() => {
    called.resolve();
    return started.promise;
  });
  const starting = runs.start(ASKED);
  await called.promise;
  const closed = runs.close();
  started.resolve();
  await closed;
  const run = await starting;
  expect({ status: run.status, hasEnded: run.hasEnded }).toEqual({ status: "cancelled", hasEnded: true });
  await expect(runs.start(ASKED)).rejects.toMatchObject({ code: "server-stopping" });
});

test("the end of the server refuses a start whose backend has not answered yet", async () => {
  const runs = servedRuns();
  const admitted = Promise.withResolvers<void>();
  const starting = runs.start({ ...ASKED, admit: () => admitted.promise });
  const closed = runs.close();
  admitted.resolve();
  await expect(starting).rejects.toMatchObject({ code: "server-stopping" });
  await closed;
});

test("a run whose result cannot be written is listed as it ended by the next server, and its result stays in memory", async () => {
  const folder = await mkdtemp(join(tmpdir(), "served-runs-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const said: string[] = [];
  const large = { ...sampleResult, plan: { ...sampleResult.plan, labels: { notes: "x".repeat(5_000) } } };
  const archive = new RunArchive({ folder, say: (line) => said.push(line), largestBytes: 4_000 });
  const serving = () =>
    new ServedRuns({
      most: 1,
      start: (options) => scriptedRun(endlessRun(large), options),
      onStart: () => {},
      archive,
      bodyOf: ({ runId, status }) => ({ runId, status }),
    });
  const runs = serving();
  const { runId } = await runs.start(ASKED);
  await expect.poll(() => readdir(folder)).toHaveLength(1);
  await runs.close();
  expect(said).toEqual([expect.stringMatching(/^warning: run \w+ could not be written to .* kept in memory only: /u)]);
  expect(await runs.get(runId)?.readResult()).toMatchObject({ runId: sampleResult.runId });
  const next = serving();
  await next.restore();
  expect(next.get(runId)).toMatchObject({ status: "cancelled", hasResult: false, failure: { code: "no-result" } });
});

/** Runs that are not on disk, and end at once with this result. */
function endingRuns(result: RunResult, mostMemoryBytes: number): ServedRuns {
  const ended = JSON.stringify({ type: "ended", result, aborted: false });
  const runs = new ServedRuns({
    most: 1,
    start: (options) => scriptedRun(scriptOf({ prepare: `tell(${ended}, () => process.exit())` }), options),
    onStart: () => {},
    mostMemoryBytes,
    bodyOf: ({ runId, status }) => ({ runId, status }),
  });
  onTestFinished(() => runs.close());
  return runs;
}

async function keptRunId(runs: ServedRuns): Promise<string> {
  const { runId } = await runs.start(ASKED);
  await expect.poll(() => runs.get(runId)).toHaveProperty("record");
  return runId;
}

test("beyond the bound in bytes, the results of the oldest runs that are not on disk go, and the runs say so", async () => {
  const labels = { notes: "x".repeat(5_000) };
  const result = { ...sampleResult, plan: { ...sampleResult.plan, labels } };
  const runs = endingRuns(result, 2.5 * JSON.stringify(result).length);
  const ids = [];
  for (let count = 0; count < 4; count += 1) ids.push(await keptRunId(runs));
  const [first, second, third, fourth] = ids.map((id) => runs.get(id));
  for (const run of [third, fourth]) {
    expect(await run?.readResult()).toEqual(result);
    expect(await text((await run!.openResult())!.stream)).toBe(JSON.stringify(result));
  }
  for (const run of [first, second]) {
    expect(run).toMatchObject({
      status: "completed",
      exitCode: 0,
      hasResult: false,
      figures: third?.figures,
      failure: { code: "no-result", message: expect.stringMatching(/^The server holds the result no more\. /u) },
    });
    expect(await run?.readResult()).toBeUndefined();
    expect(await run?.openResult()).toBeUndefined();
  }
  const told: string[] = [];
  const { hub } = await first!.watch();
  hub.add({ send: (event) => told.push(event), backlogBytes: 0, drop() {}, end() {} }, undefined);
  expect(told.join("")).toContain('"phase":{"kind":"ended","why":"The server holds the result no more. ');
});

test("the result of the last run stays, whatever it takes", async () => {
  const runs = endingRuns(sampleResult, 1);
  const runId = await keptRunId(runs);
  expect(await runs.get(runId)?.readResult()).toEqual(sampleResult);
});
