import { readFile, readdir, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { RawConnection } from "../support/emulator/raw-connection.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

async function started(place: Workplace, flags: string): Promise<FanoutProcess> {
  const emulator = place.start(`emulator ${flags}`.trim());
  await emulator.says(/Ctrl-C stops\./u);
  return emulator;
}

function connect(place: Workplace, taskHub = "default"): RawConnection {
  const connection = new RawConnection(`unix:${place.socket}`, taskHub);
  onTestFinished(() => connection.close());
  return connection;
}

async function ended(emulator: FanoutProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  emulator.kill(signal);
  expect(await emulator.ended).toMatchObject(signal === "SIGTERM" ? { code: 0 } : { signal });
}

describe("the task hubs of the emulator in the foreground", () => {
  test("are those of --task-hubs, and the error names any other one", async () => {
    const place = await Workplace.open();
    const emulator = await started(place, "--task-hubs default,orders");
    expect(emulator.stderr).toMatch(/^task hubs default, orders$/mu);
    await connect(place, "orders").start("instance");
    expect(await connect(place, "default").state("instance")).toBeUndefined();
    const refused = { code: status.NOT_FOUND, details: expect.stringMatching(/'other'.*has default, orders/u) };
    await expect(connect(place, "other").start("instance")).rejects.toMatchObject(refused);
    await expect(connect(place, "other").worker()).rejects.toMatchObject(refused);

    const run = await place.run("run --task-hub other");
    const refusal = /^error: There is no task hub 'other' on this emulator, which has default, orders\./mu;
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(refusal) });
    await place.succeed("run --workers 1 --task-hub orders --iterations 1");
  });

  test("are one named default without --task-hubs", async () => {
    const place = await Workplace.open();
    await started(place, "");
    await connect(place, "default").start("instance");
    await expect(connect(place, "hub").start("instance")).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  test("are created by use in the shared emulator", async () => {
    const place = await Workplace.open();
    expect(await place.run("run --workers 1 --task-hub anything --iterations 1")).toMatchObject({ code: 0 });
  });
});

describe("a mistake in the flags of the emulator ends with 2, and nothing was started", () => {
  test.each<readonly [args: readonly string[], message: string]>([
    [["--task-hubs", ""], "--task-hubs: expected names"],
    [["--task-hubs", "a,,b"], 'found an empty one in "a,,b"'],
    [["--task-hubs", "a,b,"], 'found an empty one in "a,b,"'],
    [["--task-hubs", "a, b ,a"], '--task-hubs: expected each name once, found "a" twice'],
    [["--task-hubs", "a;b"], 'found "a;b"'],
    [["--task-hubs", "größe"], 'found "größe"'],
    [["--task-hubs", "a\nb"], "--task-hubs: expected names"],
    [["--durability", "fsync"], '--durability: expected one of disk, process, ephemeral, found "fsync"'],
    [["--ephemeral", "--durability", "disk"], "cannot be used with"],
    [["--host", "0.0.0.0"], "--host needs --port"],
    [["--port", "0", "--host", "example.org"], "--host: expected an IP address of this machine such as 0.0.0.0, found"],
    [["--port", "0", "--host", "1.2.3"], 'found "1.2.3"'],
    [["--limits", "azure"], '--limits: expected one of scheduler, none, found "azure"'],
    [["--port", "70000"], "--port: expected a number"],
  ])("%j", async (args, message) => {
    const place = await Workplace.open();
    const { code, stdout, stderr } = await place.run("emulator", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: /u);
    expect(stderr).toContain(message);
    expect(existsSync(place.stateFolder)).toBe(false);
  });
});

describe("an emulator that does not wait for the disk", () => {
  test("says so, and keeps its acknowledged work when it is killed", async () => {
    const place = await Workplace.open();
    const emulator = await started(place, "--durability process");
    expect(emulator.stderr).toMatch(/^durability process: .* survive a crash, not a power failure$/mu);
    expect(await place.runningEmulator()).toMatchObject({ durability: "process" });
    const before = connect(place);
    await Promise.all(Array.from({ length: 50 }, (_, n) => before.start(`instance-${n}`)));
    await ended(emulator, "SIGKILL");

    await started(place, "");
    expect(await place.runningEmulator()).toMatchObject({ durability: "disk", instances: 50 });
    expect(await connect(place).state("instance-49")).toBeDefined();
  });
});

describe("an emulator in memory", () => {
  test("touches no database, and its state is gone when it ends", async () => {
    const place = await Workplace.open();
    const onDisk = await started(place, "");
    await connect(place).start("kept");
    await ended(onDisk);
    const database = join(place.stateFolder, "emulator.db");
    const before = { bytes: await readFile(database), mtimeMs: (await stat(database)).mtimeMs };

    const inMemory = await started(place, "--ephemeral");
    expect(inMemory.stderr).toMatch(/^durability ephemeral: .* in memory only/mu);
    expect(inMemory.stderr).toMatch(/^state in memory: 0 instances, /mu);
    const connection = connect(place);
    expect(await connection.state("kept")).toBeUndefined();
    await connection.start("lost");
    expect(await place.runningEmulator()).toMatchObject({ durability: "ephemeral", instances: 1 });
    expect((await readdir(place.stateFolder)).toSorted()).toEqual(["emulator.db", "emulator.lock", "emulator.sock"]);
    const stop = await place.succeed("emulator stop");
    expect(stop.stdout).toMatch(/^stopped \(process \d+\); what it held in memory is gone$/mu);
    expect(await inMemory.ended).toMatchObject({ code: 0 });
    expect({ bytes: await readFile(database), mtimeMs: (await stat(database)).mtimeMs }).toEqual(before);

    await started(place, "");
    expect(await connect(place).state("kept")).toBeDefined();
    expect(await connect(place).state("lost")).toBeUndefined();
  });
});

describe("FANOUT_DURABILITY", () => {
  test("sets the durability of the shared emulator, and the report of a run names it", async () => {
    const place = await Workplace.open();
    const line = "run --iterations 1 --workers 1 --json run.json --html run.html --markdown run.md";
    const { code, stdout, stderr } = await place.runWith({ FANOUT_DURABILITY: "ephemeral" }, line);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/^started the embedded emulator; its state is in memory$/mu);
    expect(stdout).toMatch(/^ {2}durability +ephemeral: acknowledged calls are in memory only/mu);
    expect(await place.runningEmulator()).toMatchObject({ durability: "ephemeral" });
    const file = (name: string): Promise<string> => readFile(join(place.folder, name), "utf8");
    expect(parseRunResult(await file("run.json")).environment.backend.durability).toBe("ephemeral");
    for (const name of ["run.html", "run.md"]) expect(await file(name)).toContain("ephemeral: acknowledged calls");
    expect(existsSync(join(place.stateFolder, "emulator.db"))).toBe(false);

    // The emulator that runs decides, and not what the next command would have started.
    const next = await place.succeed("run --iterations 1 --workers 1 --json");
    expect(parseRunResult(next.stdout).environment.backend.durability).toBe("ephemeral");
  });

  test("makes runs differ for `fanout compare`", async () => {
    const place = await Workplace.open();
    const run = (durability: string, file: string) =>
      place.runWith({ FANOUT_DURABILITY: durability }, `run --iterations 1 --workers 1 --json ${file}`);
    expect(await run("disk", "disk.json")).toMatchObject({ code: 0 });
    await place.succeed("emulator stop");
    expect(await run("process", "process.json")).toMatchObject({ code: 0 });
    const compared = await place.run("compare disk.json process.json");
    expect(compared.stdout + compared.stderr).toMatch(/environment\.backend\.durability.*disk.*process/u);
  });

  test.each([
    ["disk", "process"],
    ["process", "disk"],
  ])("counts at its weakest for a run that began on %s and ended on %s", async (first, second) => {
    const place = await Workplace.open();
    const emulator = await started(place, `--durability ${first}`);
    // Its activities take seconds, so that the emulator is killed before they are done.
    const line =
      "run --workers 1 --iterations 10 --parallel-orchestrations 10 --activity-duration 200ms --allow-invalid --json";
    const run = place.startWith({ ...place.env, FANOUT_DURABILITY: second }, line);
    await run.says(/started 1 worker process/u);
    await ended(emulator, "SIGKILL");
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    // Whoever missed it first has started the next one: the run, which says so, or its worker.
    expect(await place.runningEmulator()).toMatchObject({ durability: second });
    expect(parseRunResult(stdout).environment.backend.durability).toBe("process");
  });

  test("with an unknown value keeps the shared emulator from starting, with an error that lists the values", async () => {
    const place = await Workplace.open();
    // The one tells what the process says that it starts, the other refuses by itself.
    const env = { FANOUT_DURABILITY: "always" };
    const run = await place.runWith(env, "run");
    for (const { code, stderr } of [run, await place.runWith(env, "emulator")]) {
      expect(code).toBe(2);
      expect(stderr).toContain('FANOUT_DURABILITY: expected one of disk, process, ephemeral, found "always"');
    }
  });
});
