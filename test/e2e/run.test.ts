import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunResult } from "../../src/result/run-result.js";
import { Workplace } from "../support/e2e/workplace.js";

describe("fanout run", () => {
  let place: Workplace;
  beforeAll(async () => {
    place = await Workplace.make();
  });
  afterAll(() => place.close());

  test("prints progress on stderr and the summary on stdout, and ends with 0", async () => {
    const { code, stdout, stderr } = await place.start("run --iterations 3").ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain("backend: the embedded emulator, task hub default (connection string: the default)");
    expect(stderr).toContain("1 orchestration x 3 iterations x 5 activities = 15 activities, 31 actions");
    expect(stdout).toMatch(/^Completed 1 orchestration in /u);
    expect(stdout).toMatch(/activities +15 of 15/u);
    // oxlint-disable-next-line no-control-regex -- they are what it looks for
    expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/u);
  });

  test.each([
    ["by default", [], "link"],
    ["with --transport http2", ["--transport", "http2"], "http2"],
    ["with --transport grpc-js", ["--transport", "grpc-js"], "grpc-js"],
  ])("%s uses the transport that the result names", async (_, flags, transport) => {
    const { code, stdout, stderr } = await place.run("run --json --workers 2", ...flags);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      environment: { transport, ownWorkers: 2 },
      counts: { activities: { needed: 50, completed: 50 } },
    });
  });

  test("with --replay always its workers keep no orchestration, and the summary and the result say so", async () => {
    const file = join(place.folder, "replay-always.json");
    const { code, stdout } = await place.run(`run --json ${file} --workers 1 --replay always`);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("(--replay always)") });
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      environment: { ownWorkers: 1, workers: { replay: "always" } },
      counts: { orchestrations: { completed: 1 } },
    });
  });

  test.each(["run", "worker"])("%s refuses an unknown --replay", async (command) => {
    const { code, stderr } = await place.run(`${command} --replay never`);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--replay: expected sessions or always, found "never"'),
    });
  });

  test.each(["run", "worker"])("%s refuses an unknown --transport", async (command) => {
    const { code, stderr } = await place.run(`${command} --transport pigeon`);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--transport: expected link, http2 or grpc-js, found "pigeon"'),
    });
  });

  test.each(["run --dry-run", "worker"])("%s refuses a transport that the backend does not support", async (line) => {
    const elsewhere = "Endpoint=https://localhost:9;Authentication=None;TaskHub=hub";
    const { code, stdout, stderr } = await place.run(`${line} --transport link --connection-string`, elsewhere);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: "error: --transport link is for the embedded emulator alone\n",
    });
  });

  test("with --json prints only the result on stdout", async () => {
    const { code, stdout, stderr } = await place.run(
      "run --workers 1 --parallel-orchestrations 20 --allow-invalid --json",
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result: RunResult = JSON.parse(stdout);
    expect(result).toMatchObject({
      schemaVersion: 1,
      interrupted: false,
      plan: { iterations: 10, parallelActivities: 5, parallelOrchestrations: 20 },
      counts: {
        orchestrations: { started: 20, completed: 20, failed: 0, terminated: 0, unfinished: 0 },
        activities: { needed: 1_000, completed: 1_000 },
        actions: 2_020,
      },
    });
    expect(result.latencyMs.response).toMatchObject({ count: 20 });
    expect(result.latencyMs.response).toHaveProperty("p50");
    expect(result.latencyMs.response).not.toHaveProperty("p90");
  });

  test("with --json FILE writes the file, and prints the summary on stdout", async () => {
    const { code, stdout } = await place.start("run --workers 1 --json result.json").ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Completed/u);
    expect(JSON.parse(await readFile(join(place.folder, "result.json"), "utf8"))).toMatchObject({ schemaVersion: 1 });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "on %s terminates what its own workers have in flight, sums up, and ends with %d",
    async (signal, code) => {
      const run = place.start("run --workers 1 --iterations 1000 --parallel-activities 100");
      await run.says(/[1-9][\d,]* of 100,000 activities/u);
      run.kill(signal);
      const end = await run.ended;
      expect(end.code).toBe(code);
      expect(end.stderr).toContain("interrupted: terminating 1 orchestration in flight");
      expect(end.stdout).toContain("Interrupted: 0 of 1 orchestration completed");
      expect(end.stdout).toMatch(/not completed +1 terminated/u);
    },
  );

  test("after --timeout lists unfinished instances and ends with 1", async () => {
    const { code, stdout, stderr } = await place.run("run --workers 0 --timeout 200ms");
    expect(code).toBe(1);
    expect(stderr).toContain("error: not everything ended within 200 ms of the last start (--timeout)");
    expect(stdout).toMatch(/1 orchestration unfinished\n {2}r\w{12}-00000-000 {2}Pending, 0 of 10 iterations done/u);
  });

  test("without a worker gives up after --worker-timeout, and names the command that starts one", async () => {
    const { code, stderr } = await place.run("run --workers 0 --worker-timeout 200ms --task-hub nobody");
    expect(code).toBe(1);
    expect(stderr).toContain("error: no worker seen on task hub nobody for 200 ms; start one with: fanout worker");
  });
});
