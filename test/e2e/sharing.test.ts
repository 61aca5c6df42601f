import { readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace, emulatorStatus } from "../support/e2e/workplace.js";

describe("the shared emulator", () => {
  test("is a single process, even if five commands start at once", async () => {
    const place = await Workplace.open();
    const runs = Array.from({ length: 5 }, () => place.start("run --json --iterations 3"));
    const ended = await Promise.all(runs.map((run) => run.ended));
    for (const { code, stdout, stderr } of ended) {
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(parseRunResult(stdout).counts.activities).toMatchObject({ needed: 15, completed: 15 });
    }
    const runIds = new Set(ended.map(({ stdout }) => parseRunResult(stdout).runId));
    expect(runIds.size).toBe(5);
    // One of the five has started it, and only one process has ever been the emulator.
    expect(ended.filter(({ stderr }) => stderr.includes("started the embedded emulator"))).toHaveLength(1);
    const log = await readFile(join(place.stateFolder, "emulator.log"), "utf8");
    const { pid, instances } = await place.runningEmulator();
    expect(log.match(/\[\d+\] started/gu)).toEqual([`[${pid}] started`]);
    expect(instances).toBe(5);
  });

  test("may have work of other runs, and a run reports it in its result", async () => {
    const place = await Workplace.open();
    const other = place.start(
      "run --workers 0 --worker-timeout 10m --allow-invalid --json --parallel-orchestrations 3",
    );
    await other.says(/3 orchestrations x/u);
    await vi.waitFor(async () => expect(await place.emulatorStatus()).toMatchObject({ inFlight: 3 }), 30_000);

    const { stdout, stderr } = await place.succeed("run --workers 1 --json");
    const { environment } = parseRunResult(stdout);
    // Its workers are anyone's, so that the other run may have ended as well. They are gone with it.
    place.start("worker --port 0");
    const { code, stdout: othersResult } = await other.ended;
    expect(code).toBe(0);
    const { runId } = parseRunResult(othersResult);
    expect(environment.hub).toMatchObject({ unfinished: 3, more: false, runs: [{ runId, unfinished: 3 }] });
    expect(stderr).toContain(`task hub default already has 3 unfinished instances: 3 of run ${runId}`);
  });

  test.skipIf(process.platform !== "linux")("keeps nothing of the command that started it", async () => {
    const place = await Workplace.open();
    const secret = "s3cr3t-of-the-shell";
    const run = place.startWith({ ...place.env, AZURE_CLIENT_SECRET: secret }, "run --workers 1");
    expect(await run.ended).toMatchObject({ code: 0 });
    const { pid } = await place.runningEmulator();
    expect(await readFile(`/proc/${pid}/environ`, "utf8")).not.toContain(secret);
    expect(await readlink(`/proc/${pid}/cwd`)).toBe(place.stateFolder);
    // pid (comm) state ppid pgrp session: it leads a session of its own, which no Ctrl-C of a terminal reaches.
    const [, session] = /^\d+ \(.*\) \S+ \d+ \d+ (\d+)/u.exec(await readFile(`/proc/${pid}/stat`, "utf8"))!;
    expect(Number(session)).toBe(pid);
    expect((await stat(place.stateFolder)).mode & 0o777).toBe(0o700);
  });

  test("stops on request and keeps its state, which only a reset deletes", async () => {
    const place = await Workplace.open();
    await place.succeed("run --workers 1");
    const { pid } = await place.runningEmulator();
    expect(await printedStatus(place)).toMatchObject({ running: true, pid, instances: 1 });
    expect((await place.succeed("emulator stop")).stdout).toContain(`stopped (process ${pid})`);
    expect(await printedStatus(place)).toEqual({ running: false, folder: place.stateFolder });
    expect((await place.succeed("emulator stop")).stdout).toBe("not running\n");

    await place.succeed("run --workers 1");
    expect(await place.runningEmulator()).toMatchObject({ instances: 2 });
    const unasked = await place.run("emulator reset");
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringContaining("--yes") });
    await place.succeed("emulator reset --yes");
    await place.succeed("run --workers 1");
    expect(await place.runningEmulator()).toMatchObject({ instances: 1 });
  });
});

async function printedStatus(place: Workplace) {
  const { stdout } = await place.succeed("emulator status --json");
  return emulatorStatus.parse(JSON.parse(stdout));
}
