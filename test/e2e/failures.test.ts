import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

/** Nothing listens on that port. */
const DEAD_END = "Endpoint=http://127.0.0.1:1;Authentication=None;TaskHub=x";
const STACK = /^\s+at /mu;

describe("without workers", () => {
  test("a run gives up after --worker-timeout, and names the command that starts a worker", async () => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("run --workers 0 --worker-timeout 1s --json");
    expect(code).toBe(1);
    expect(stderr).toContain("error: no worker seen on task hub default for 1 s; start one with: fanout worker\n");
    expect(parseRunResult(stdout)).toMatchObject({
      interrupted: false,
      counts: { orchestrations: { started: 1, unfinished: 1 }, activities: { completed: 0 } },
    });
    // Whoever starts a worker later has nothing of it to execute.
    expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
  });

  test("a run gives up after --timeout, and lists unfinished instances", async () => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("run --workers 0 --timeout 1s --parallel-orchestrations 12");
    expect(code).toBe(1);
    expect(stderr).toContain("error: not everything ended within 1 s of the last start (--timeout)");
    const listed = stdout.match(/^ {2}r\w{12}-\d{5}-\d{3} {2}Pending, 0 of 10 iterations done$/gmu);
    expect(new Set(listed).size).toBe(10);
    expect(stdout).toMatch(/^12 orchestrations unfinished$/mu);
    expect(stdout).toMatch(/^ {2}and 2 more$/mu);
  });
});

describe("an unreachable backend", () => {
  test("fails the run within seconds, with one sentence", async () => {
    const place = await Workplace.open();
    const startedMs = performance.now();
    const { code, stdout, stderr } = await place.run("run --connection-string", DEAD_END);
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^error: The backend does not answer: connect ECONNREFUSED 127\.0\.0\.1:1 \(10 attempts\)\. Check that it runs/mu,
    );
    expect(stdout + stderr).not.toMatch(STACK);
    expect(existsSync(place.stateFolder)).toBe(false);
  });
});

describe("a mistake is refused before anything starts", () => {
  test("in --json: the file cannot be written", async () => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("run --json /nonexistent/dir/x.json");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: --json: .*\/nonexistent\/dir/u);
    expect(existsSync(place.stateFolder)).toBe(false);
  });

  test.each([
    ["without an endpoint", "Authentication=None", "expected Endpoint="],
    ["of an unknown key", "Endpoint=http://localhost;Authentication=None;Hub=x", '"hub" is not known'],
    ["of an unknown authentication", "Endpoint=http://localhost;Authentication=Kerberos", "Authentication"],
    ["of two backends", "UseDevelopmentStorage=true;Endpoint=http://localhost", "UseDevelopmentStorage"],
  ])("in a connection string %s", async (_what, connection, reason) => {
    const place = await Workplace.open();
    for (const command of ["run", "worker --port 0"]) {
      const { code, stdout, stderr } = await place.run(`${command} --connection-string`, connection);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain("error: The connection string of --connection-string: ");
      expect(stderr).toContain(reason);
    }
    expect(existsSync(place.stateFolder)).toBe(false);
  });

  test("in the variable or the settings file, and the message names it", async () => {
    const place = await Workplace.open();
    const ofVariable = await place.runWith({ DURABLE_TASK_CONNECTION_STRING: "Authentication=None" }, "run");
    expect(ofVariable).toMatchObject({ code: 2, stderr: expect.stringContaining("DURABLE_TASK_CONNECTION_STRING") });
    const settings = { DurableTaskScheduler: { ConnectionString: "Authentication=None" } };
    await writeFile(join(place.folder, "appsettings.json"), JSON.stringify(settings));
    expect(await place.run("run")).toMatchObject({ code: 2, stderr: expect.stringContaining("appsettings.json") });
    expect(existsSync(place.stateFolder)).toBe(false);
  });

  test("in the state folder: it is a file, and the message names it", async () => {
    const place = await Workplace.open();
    await writeFile(place.stateFolder, "");
    for (const command of ["run", "emulator", "emulator status"]) {
      const { code, stdout, stderr } = await place.run(command);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^error: /u);
      expect(stderr).toContain(`'${place.stateFolder}'`);
      expect(stderr).toContain("FANOUT_STATE_DIR");
      expect(stderr).not.toMatch(STACK);
    }
  });
});

describe("an error never repeats a secret of the connection string", () => {
  const SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";

  test.each([
    ["as the value of a key", `Endpoint=http://localhost;Authentication=None;AccountKey=${SECRET}==`],
    ["as a part of its own", `Endpoint=http://localhost;Authentication=None;${SECRET}`],
    ["as a part of its own that ends like base64", `Endpoint=http://localhost;Authentication=None;${SECRET}==`],
    ["as the authentication", `Endpoint=http://localhost;Authentication=${SECRET}`],
    ["as the password of the address", `Endpoint=http://me:${SECRET}@localhost;Authentication=None`],
    ["in an address that is none", `Endpoint=http://${SECRET}:port;Authentication=None`],
    ["with the development storage", `UseDevelopmentStorage=${SECRET}`],
  ])("%s", async (_what, connection) => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("run --debug --connection-string", connection);
    expect(code).toBe(2);
    expect((stdout + stderr).toLowerCase()).not.toContain(SECRET.toLowerCase());
  });
});

test("a reader that closes the pipe early causes no error", async () => {
  const place = await Workplace.open();
  const script = `set -o pipefail; '${process.execPath}' '${FANOUT}' run --json --workers 1 | head -c 1`;
  const { code, stdout, stderr } = await place.startProgram("bash", ["-c", script]).ended;
  expect({ code, stdout }).toEqual({ code: 0, stdout: "{" });
  expect(stderr).not.toMatch(/error|EPIPE/iu);
});

test("a state folder works even if its path is too long for a socket", async () => {
  const place = await Workplace.open();
  const long = join(place.root, "a-folder-with-a-long-name-".repeat(4), "state");
  await mkdir(join(place.root, "runtime"), { mode: 0o700 });
  const env = { FANOUT_STATE_DIR: long, XDG_RUNTIME_DIR: join(place.root, "runtime") };
  expect(await place.runWith(env, "run --workers 1")).toMatchObject({ code: 0 });
  const stop = await place.runWith(env, "emulator stop");
  expect(stop).toMatchObject({ code: 0, stdout: expect.stringContaining("stopped") });
});
