import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseResult } from "../../src/result/read-result.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { canSeeProcesses, entriesOf, generatorsOf } from "../support/e2e/process-table.js";
import { DelayServerProcess } from "../support/load/delay-server-process.js";
import { Workplace } from "../support/e2e/workplace.js";

/** More than gets done before it is ended; its activities take time, so that they leave the machine to others. */
const LONG =
  "run --generators 2 --workers 1 --iterations 1000 --parallel-activities 2 --parallel-orchestrations 40 --activity-duration 200ms";

async function resultOf(place: Workplace) {
  return parseResult(await readFile(join(place.folder, "result.json"), "utf8"), "result.json");
}

async function atWork(place: Workplace, line: string): Promise<FanoutProcess> {
  const run = place.start(`${line} --json result.json`);
  await run.says(/^\d+ s: 0 of 40 orchestrations, [1-9]/mu);
  return run;
}

test("two generators make one run with the run's own workers, and give one result", async () => {
  const place = await Workplace.open();
  const load =
    "--rate 20/s --arrival poisson --duration 2s --iterations 1 --parallel-activities 2 --activity-duration 300ms";
  const { code, stdout, stderr } = await place.run(
    `run --generators 2 ${load} --workers 1 --trace-sample 100% --threshold counts.orchestrations.failed<1 --allow-invalid --json result.json`,
  );
  expect(stderr).toContain("activities, 200 actions, from 2 generators");
  expect(stderr.match(/started 1 worker process for this run/gu)).toHaveLength(1);
  expect(stdout).toMatch(/^Completed \d+ orchestrations in /u);
  expect(stdout).toMatch(/^ {2}shard +started +completed/mu);
  const { plan, counts, recount, shards, environment, workers, thresholds, verdict, breakdown } = await resultOf(place);
  // A busy machine starts late, and then no threshold is judged.
  const isJudged = verdict?.status !== "invalid";
  expect({ code, stdout }).toMatchObject({
    code: isJudged ? 0 : 99,
    stdout: expect.stringMatching(isJudged ? /^1 threshold passed$/mu : /not judged, the measurement is invalid/u),
  });
  expect(thresholds).toMatchObject([{ passed: isJudged }]);
  expect(plan).toMatchObject({ workers: 1 });
  expect(plan.shard).toBeUndefined();
  expect(environment.ownWorkers).toBe(1);
  const { started } = counts.orchestrations;
  expect(counts).toMatchObject({
    planned: started,
    orchestrations: { completed: started },
    activities: { completed: 2 * started, reExecuted: 0, source: "emulator" },
  });
  expect(workers?.reduce((sum, { wholeRun }) => sum + (wholeRun?.activities ?? 0), 0)).toBe(2 * started);
  expect(recount).toMatchObject({ instances: started, lost: { total: 0 }, unexpected: { total: 0 } });
  expect(shards).toMatchObject([{ number: 1 }, { number: 2 }]);
  expect(breakdown).not.toHaveProperty("missing");
  expect(breakdown?.phases?.execute).toHaveProperty("shareInterval");
  expect(breakdown?.phases?.execute?.each).toHaveProperty("p50");
  expect(shards!.reduce((sum, { completed }) => sum + completed, 0)).toBe(started);
});

test("with --abort-on-fail, a threshold that is missed for good ends all generators", async () => {
  const place = await Workplace.open();
  const flags =
    "--generators 2 --rate 10/s --duration 5m --workers 1 --iterations 1 --allow-invalid --abort-on-fail --json result.json";
  const { code, stdout, stderr } = await place.run(`run ${flags} --threshold`, "max<1ms");
  expect({ code, stderr }).toMatchObject({
    code: 99,
    stderr: expect.stringContaining("threshold max<1ms can no longer be met (--abort-on-fail)") as string,
  });
  expect(stdout).toMatch(/missed {2}max<1ms/u);
  const { counts, shards, durationMs } = await resultOf(place);
  expect(durationMs).toBeLessThan(60_000);
  expect(counts.orchestrations.unfinished).toBeLessThan(counts.orchestrations.started);
  expect(shards!.every(({ started }) => started > 0)).toBe(true);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
});

test("SIGTERM ends all generators in order, with their orchestrations terminated", async () => {
  const place = await Workplace.open();
  const run = await atWork(place, LONG);
  run.kill("SIGTERM");
  const { code, stdout } = await run.ended;
  expect(code).toBe(143);
  expect(stdout).toMatch(/^Interrupted: 0 of 40 orchestrations completed/u);
  const { interrupted, counts } = await resultOf(place);
  expect(interrupted).toBe(true);
  expect(counts.orchestrations).toMatchObject({ started: 40, terminated: 40 });
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0, workers: 0 });
});

test.skipIf(!canSeeProcesses)("a generator that is killed makes an invalid run that names it", async () => {
  const place = await Workplace.open();
  const run = await atWork(place, LONG);
  const [first] = generatorsOf(run.pid);
  process.kill(first!, "SIGKILL");
  const { code, stdout, stderr } = await run.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: generator [12] of 2 was ended by SIGKILL/mu);
  expect(stdout).toMatch(/shard [12] of 2: its process was ended by SIGKILL/u);
  const { verdict, counts, recount, shards } = await resultOf(place);
  expect(verdict!.status).toBe("invalid");
  // A busy machine may be another reason.
  expect(verdict!.reasons.map(({ name }) => name)).toContain("generator-died");
  expect(counts.orchestrations).toMatchObject({ started: 40, unfinished: 40 });
  expect(recount).toMatchObject({ instances: 40, lost: { total: 0 }, unexpected: { total: 0 } });
  expect(shards!.filter(({ died }) => died !== undefined)).toHaveLength(1);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
});

test.skipIf(!canSeeProcesses)("generators end in order if the run itself is killed", async () => {
  const place = await Workplace.open();
  const run = await atWork(place, LONG);
  const generators = generatorsOf(run.pid);
  expect(generators).toHaveLength(2);
  run.kill("SIGKILL");
  await run.ended;
  await expect.poll(() => generators.filter(isThere), { timeout: 30_000 }).toEqual([]);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
});

/** `script`, which lends a terminal to a program, takes these arguments on Linux alone. */
describe.skipIf(process.platform !== "linux")("on a terminal", () => {
  test("a second Ctrl-C ends all generators at once, even if the backend does not answer", async () => {
    const place = await Workplace.open();
    const run = place.startOnTerminal(LONG);
    await run.says(/activities {2}[^\n]*[1-9]\d* \//u);
    const { pid } = await place.runningEmulator();
    process.kill(pid, "SIGSTOP");
    run.press("\u0003");
    await run.says(/generator 1: interrupted: terminating 20 orchestrations in flight/u);
    // Two presses that come too close to each other are one, so it is pressed until it is heard.
    const impatient = setInterval(() => run.press("\u0003"), 100);
    const { code } = await run.ended;
    clearInterval(impatient);
    expect(code).toBe(130);
    expect(run.words).not.toContain("Interrupted");
    await expect.poll(() => entriesOf(place.root, "/generators/main.js"), { timeout: 30_000 }).toEqual([]);
    process.kill(pid, "SIGCONT");
  });
});

test.skipIf(!canSeeProcesses)(
  "what a killed generator leaves is left running if workers of others execute it",
  async () => {
    const place = await Workplace.open();
    await place.start("worker --port 0").says(/Connected to/u);
    const run = await atWork(place, LONG.replace("--workers 1", "--workers auto"));
    process.kill(generatorsOf(run.pid)[1]!, "SIGKILL");
    const { code, stderr } = await run.ended;
    expect(code).toBe(1);
    for (const number of [1, 2])
      expect(stderr).toMatch(new RegExp(`^generator ${number}: 20 orchestrations in flight left running`, "mu"));
    expect(await place.runningEmulator()).toMatchObject({ inFlight: 40 });
  },
);

test.skipIf(!canSeeProcesses)(
  "on a backend that cannot list instances, the last progress of a killed generator counts",
  async () => {
    const place = await Workplace.open();
    const server = await DelayServerProcess.start({ delay: "constant:10m", lacking: ["QueryInstances"] });
    const run = place.start(
      "run --generators 2 --workers 0 --rate 20/s --duration 1m --json result.json --connection-string",
      server.connectionString,
    );
    await run.says(/^\d+ s: [1-9]\d+ orchestrations started/mu);
    process.kill(generatorsOf(run.pid)[0]!, "SIGKILL");
    const { code, stderr } = await run.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^generator [12]: what it left in flight is not known .*: fanout terminate --run \w+$/mu);
    const { verdict, counts, recount, shards } = await resultOf(place);
    expect(verdict).toMatchObject({ status: "invalid" });
    const { started } = counts.orchestrations;
    expect(counts.orchestrations).toMatchObject({ completed: 0, unfinished: started });
    expect(shards!.find(({ died }) => died !== undefined)!.started).toBeGreaterThan(0);
    expect(recount).toMatchObject({ unknown: expect.stringContaining("QueryInstances") });
  },
);

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
