import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

const PLAN_LINE = "1 orchestration x 10 iterations x 5 activities = 50 activities, 101 actions";
/** A line feed is the only control character that belongs into a log. */
// oxlint-disable-next-line no-control-regex -- they are what it looks for
const CONTROL_CHARACTER = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F]/u;

describe("in an empty HOME", () => {
  test("one command runs a fan-out/fan-in from nothing to its summary", async () => {
    const place = await Workplace.open();
    const { FANOUT_STATE_DIR: _unset, ...env } = place.env;
    const { code, stdout, stderr } = await place.startWith(env, "run --iterations 10").ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr.split("\n")).toContain(PLAN_LINE);
    expect(stderr).toMatch(new RegExp(`^started the embedded emulator\\W+its state is in ${place.home}/`, "mu"));
    expect(stderr).toMatch(/^task hub default has no worker: started 1 worker process for this run$/mu);
    expect(stdout).toMatch(/^Completed 1 orchestration in [\d.]+ m?s$/mu);
    expect(stdout).toMatch(/^ {2}activities +50 of 50$/mu);
    expect(stdout).toMatch(/^ {2}actions +101$/mu);
    // Everything it left is in the one folder it told of; its working folder is as it was.
    expect(await readdir(place.folder)).toEqual([]);
    const stop = await place.startWith(env, "emulator stop").ended;
    expect(stop).toMatchObject({ code: 0, stdout: expect.stringMatching(/^stopped \(process \d+\)/u) });
  });
});

describe("in a script", () => {
  test("x=$(fanout run) returns when the run has ended, while the emulator keeps running", async () => {
    const place = await Workplace.open();
    const script = `x=$('${process.execPath}' '${FANOUT}' run --workers 1); echo "code $? [$x]"`;
    const shell = place.startProgram("sh", ["-c", script]);
    const { stdout } = await shell.ended;
    expect(stdout).toMatch(/^code 0 \[Completed 1 orchestration in /u);
    expect(stdout).toMatch(/run id +r[0-9a-z]{12}\n[^]*\]\n$/u);
    // It did not wait for the emulator, which would have ended before: 30 s after the last connection.
    expect(await place.runningEmulator()).toMatchObject({ instances: 1 });
  });

  test("--json puts one JSON document on stdout, and everything for people on stderr", async () => {
    const place = await Workplace.open();
    const { stdout, stderr } = await place.succeed(
      "run --json --workers 2 --iterations 3 --parallel-activities 4 --parallel-orchestrations 25 --timeout 1m30s",
    );
    const result = parseRunResult(stdout);
    expect(result).toMatchObject({
      interrupted: false,
      plan: {
        iterations: 3,
        parallelActivities: 4,
        parallelOrchestrations: 25,
        workers: 2,
        timeoutMs: 90_000,
      },
      environment: {
        node: process.versions.node,
        backend: { kind: "emulator", name: "the embedded emulator" },
        taskHub: "default",
        ownWorkers: 2,
        hub: { unfinished: 0, more: false, runs: [], foreign: { unfinished: 0, orchestrators: [] } },
      },
      counts: {
        orchestrations: { started: 25, completed: 25, failed: 0, terminated: 0, unfinished: 0 },
        activities: { needed: 300, completed: 300 },
        actions: 625,
      },
    });
    const { throughput, latencyMs, durationMs } = result;
    expect(throughput!.makespanMs!).toBeLessThanOrEqual(durationMs);
    expect(throughput!.orchestrationsPerSecond).toBeCloseTo(25_000 / throughput!.makespanMs!, 6);
    expect(throughput!.activitiesPerSecond).toBeCloseTo(300_000 / throughput!.makespanMs!, 6);
    expect(throughput!.actionsPerSecond).toBeCloseTo(625_000 / throughput!.makespanMs!, 6);
    for (const name of ["response", "service", "startRpc", "slip", "server"] as const) {
      // 25 samples carry a median, and nothing above it: n (1 - q) >= 10.
      const { mean: _mean, ...carried } = latencyMs[name]!;
      expect({ name, ...carried }).toMatchObject({ name, count: 25, p50: expect.any(Number), max: expect.any(Number) });
      expect(Object.keys(carried).filter((key) => /^p\d/u.test(key))).toEqual(["p50"]);
      expect(carried.p50).toBeLessThanOrEqual(carried.max);
    }
    // All were due at its begin, and the last one ended it; both ends may be by the backend's clock or by the client's.
    expect(Math.abs(latencyMs.response!.max - throughput!.makespanMs!)).toBeLessThan(0.1 * durationMs);
    expect(stderr).toMatch(/^25 orchestrations x 3 iterations x 4 activities = 300 activities, 625 actions$/mu);
    expect(stderr).toMatch(/^Completed 25 orchestrations in /mu);
  });

  test("--json FILE puts the result into the file, whole, and the summary stays on stdout", async () => {
    const place = await Workplace.open();
    const { stdout } = await place.succeed("run --json result.json --workers 1");
    expect(stdout).toMatch(/^Completed 1 orchestration in /u);
    expect(parseRunResult(await readFile(join(place.folder, "result.json"), "utf8"))).toMatchObject({
      counts: { activities: { needed: 50, completed: 50 }, actions: 101 },
    });
    expect(await readdir(place.folder)).toEqual(["result.json"]);
  });

  test("without a terminal no control character is written, not even with forced colours", async () => {
    const place = await Workplace.open();
    const env = { ...place.env, COLORTERM: "truecolor", FORCE_COLOR: "1" };
    const good = await place.startWith(env, "run --workers 1 --parallel-orchestrations 20 --allow-invalid").ended;
    // Nobody works on this one, so that it is there for long enough to print progress, and a list of what is stuck.
    const bad = await place.startWith(env, "run --workers 0 --parallel-orchestrations 3 --timeout 2500ms").ended;
    expect(good).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Completed 20 /u) });
    expect(bad).toMatchObject({ code: 1, stdout: expect.stringMatching(/^Incomplete: 0 of 3 /u) });
    expect(bad.stderr).toMatch(/^\d+ s: 0 of 3 orchestrations, 0 of 150 activities/mu);
    for (const text of [good.stdout, good.stderr, bad.stdout, bad.stderr]) expect(text).not.toMatch(CONTROL_CHARACTER);
  });
});
