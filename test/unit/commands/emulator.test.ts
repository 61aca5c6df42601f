import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runEmulatorCommand } from "../../../src/commands/emulator.js";
import { emulatorStatusCommand } from "../../../src/commands/shared-emulator.js";
import { ExitCode } from "../../../src/exit-codes.js";
import { RawConnection, complete, scheduleTask } from "../../support/emulator/raw-connection.js";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-command-"));
  vi.stubEnv("FANOUT_STATE_DIR", folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** One orchestration with one activity, and one that nobody works on. */
async function work(): Promise<void> {
  const connection = new RawConnection(`unix:${path.join(folder, "emulator.sock")}`, "hub");
  const worker = await connection.worker();
  await connection.start("instance");
  await connection.completeEpisode(await worker.item(), [scheduleTask(1)]);
  await connection.completeActivity(await worker.item(), "result");
  await connection.completeEpisode(await worker.item(), [complete(2, "end")]);
  await connection.start("waits");
  connection.close();
}

async function textOf(
  command: (io: { stdout: PassThrough; stderr: PassThrough }) => Promise<ExitCode>,
): Promise<string> {
  const io = { stdout: new PassThrough(), stderr: new PassThrough() };
  expect(await command(io)).toBe(ExitCode.Success);
  return String(io.stdout.read());
}

test("without a terminal it prints its state, and at the end its work, in plain lines", async () => {
  const io = { stdout: new PassThrough(), stderr: new PassThrough() };
  const lines = createInterface({ input: io.stderr })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const exitCode = runEmulatorCommand({ taskHubs: "hub" }, io);
  expect(await nextLine()).toBe(`listening for fanout on ${path.join(folder, "emulator.sock")}`);
  expect(await nextLine()).toBe("task hub hub");
  expect(await nextLine()).toBe("durability disk: acknowledged calls survive a crash and a power failure");
  const [place, held] = (await nextLine()).split(": ");
  expect(place).toBe(`state in ${folder}`);
  expect(held).toMatch(/^0 instances, 0 in flight, [\d.]+ kB\. Ctrl-C stops\.$/u);
  await work();

  const status = await textOf((io) => emulatorStatusCommand({ json: false }, io));
  expect(status).toMatch(/^instances +2, 1 in flight$/mu);
  expect(status).toMatch(/^done +1 orchestration, 1 activity$/mu);
  expect(status).toMatch(/^durability +disk: acknowledged calls survive a crash and a power failure$/mu);
  expect(status).toMatch(/^store +[\d.]+ kB$/mu);
  const json: unknown = JSON.parse(await textOf((io) => emulatorStatusCommand({ json: true }, io)));
  expect(json).toMatchObject({ orchestrationsEnded: 1, activitiesCompleted: 1, inFlight: 1, durability: "disk" });
  expect(json).toHaveProperty("storeBytes", expect.any(Number));

  process.emit("SIGTERM", "SIGTERM");
  expect(await nextLine()).toMatch(/^stopped after [\d.]+ m?s: 1 orchestration, 1 activity$/u);
  expect(await exitCode).toBe(ExitCode.Success);
});

test("on a terminal it has a live line, which is removed before the closing line", async () => {
  const stderr = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  const exitCode = runEmulatorCommand({ taskHubs: "default" }, { stdout: new PassThrough(), stderr });
  let text = "";
  await new Promise<void>((resolve) => {
    stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("idle")) resolve();
    });
  });
  process.emit("SIGINT", "SIGINT");
  expect(await exitCode).toBe(ExitCode.Success);
  const [before = "", live = ""] = text.split("Ctrl-C stops.\n");
  expect(before).not.toContain("\u001B");
  const [shown = "", said] = live.split("\u001B[?25h");
  expect(stripVTControlCharacters(shown)).toMatch(/^\r {2}idle {3}no workers {3}[\d.]+ kB\r\r\r$/u);
  // It is cleared by what comes last of it.
  expect(shown.endsWith("\u001B[J\r\u001B[K")).toBe(true);
  expect(said).toMatch(/^stopped after [\d.]+ m?s: 0 orchestrations, 0 activities\n$/u);
});
