import fs, { existsSync, mkdtempSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { once } from "node:events";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Durability } from "../../../../src/protocol/durability.js";
import { runEmulator } from "../../../../src/emulator/process/run-emulator.js";
import { openStateFolder, type StateFolder } from "../../../../src/protocol/state-folder.js";
import { freePort } from "../../../support/backend/free-port.js";
import { RawConnection, stringValue, type RawWorker } from "../../../support/emulator/raw-connection.js";

let state: StateFolder;

beforeEach(() => {
  state = openStateFolder({ FANOUT_STATE_DIR: mkdtempSync(path.join(tmpdir(), "fanout-run-")) });
});

afterEach(() => {
  rmSync(state.folder, { recursive: true });
});

test("a port is served beside the socket, with the same instances", async () => {
  const port = await freePort();
  const run = (await runEmulator({ state, version: "test", port, idleMs: undefined }))!;
  expect(run.emulator.status().endpoints).toEqual([`127.0.0.1:${port}`, `unix:${state.socket}`]);
  const [near, far] = [new RawConnection(`unix:${state.socket}`, "hub"), new RawConnection(`127.0.0.1:${port}`, "hub")];
  await near.start("instance");
  expect(await far.state("instance")).toMatchObject({ name: "Orchestrator" });
  near.close();
  far.close();
  run.stop();
  await run.stopped;
});

test("a port that is taken is refused by number", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  await expect(runEmulator({ state, version: "test", port, idleMs: undefined })).rejects.toThrow(String(port));
  expect(existsSync(state.socket)).toBe(false);
  taken.close();
});

test("a second stop changes nothing, and calls that come too late break nothing", async () => {
  const run = (await runEmulator({ state, version: "test", port: undefined, idleMs: 1_000 }))!;
  const connection = new RawConnection(`unix:${state.socket}`, "hub");
  const worker: RawWorker = await connection.worker();
  await connection.start("instance");
  await worker.item();
  const late = Array.from({ length: 50 }, (_, n) => connection.start(`late-${n}`).catch((error: unknown) => error));
  run.stop();
  run.stop();
  await run.stopped;
  await Promise.all(late);
  connection.close();
  expect(existsSync(state.socket)).toBe(false);
});

/** How often files are brought to the disk from here on, SQLite's own calls aside. */
function countSyncs(): () => number {
  const spies = [vi.spyOn(fs, "fdatasync"), vi.spyOn(fs, "fdatasyncSync")];
  syncBuiltinESMExports();
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore();
    syncBuiltinESMExports();
  });
  return () => spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
}

test.each<readonly [Durability | undefined, number]>([
  [undefined, 1],
  ["disk", 1],
  ["process", 0],
  ["ephemeral", 0],
])("of durability %s, a start is answered behind %i syncs", async (durability, syncs) => {
  const count = countSyncs();
  const run = (await runEmulator({ state, version: "test", port: undefined, idleMs: undefined, durability }))!;
  const connection = new RawConnection(`unix:${state.socket}`, "hub");
  const before = count();
  await connection.start("instance");
  expect(count() - before).toBe(syncs);
  connection.close();
  run.stop();
  await run.stopped;
});

test.each(["disk", "process", "ephemeral"] as const)(
  "of durability %s, it knows how much it holds",
  async (durability) => {
    const run = (await runEmulator({ state, version: "test", port: undefined, idleMs: undefined, durability }))!;
    const connection = new RawConnection(`unix:${state.socket}`, "hub");
    const { storeBytes: before } = run.emulator.figures();
    expect(before).toBeGreaterThan(0);
    await connection.start("instance", "Orchestrator", (request) =>
      request.setInput(stringValue("x".repeat(1_000_000))),
    );
    expect(run.emulator.figures().storeBytes - before).toBeGreaterThan(1_000_000);
    connection.close();
    run.stop();
    await run.stopped;
  },
);
