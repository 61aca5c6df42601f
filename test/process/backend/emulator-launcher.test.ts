import { execFile } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createConnection, type Socket } from "node:net";
import { once } from "node:events";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AdminConnection } from "../../../src/backend/admin-connection.js";
import type { ensureEmulator as EnsureEmulator } from "../../../src/backend/emulator-launcher.js";
import { FANOUT_VERSION } from "../../../src/version.js";
import { spawnEmulator } from "../../support/emulator/emulator-process.js";

/** What these tests start, they start from the build: the launcher starts a file beside its own. */
const BACKEND = new URL("../../../dist/backend/", import.meta.url);

let folder: string;
let socket: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-launch-"));
  socket = path.join(folder, "emulator.sock");
});

afterEach(async () => {
  const pid = await pidOnSocket();
  if (pid !== undefined) process.kill(pid, "SIGKILL");

  rmSync(folder, { recursive: true });
});

async function pidOnSocket(): Promise<number | undefined> {
  const admin = new AdminConnection({ address: `unix:${socket}`, token: undefined });
  try {
    return (await admin.status())?.pid;
  } finally {
    admin.close();
  }
}

interface Told {
  readonly pids: number[];
  readonly notices: string[];
  readonly error?: { readonly name: string; readonly message: string; readonly exitCode: number };
}

/** Runs a process that opens the embedded emulator, does what `script` says, and tells what it saw. */
async function command(script = "", env: NodeJS.ProcessEnv = {}): Promise<Told> {
  const source = `
    import { openBackend } from ${JSON.stringify(new URL("open-backend.js", BACKEND))};
    import { resolveConnection } from ${JSON.stringify(new URL("connection-string.js", BACKEND))};
    const told = { pids: [], notices: [] };
    try {
      const connection = resolveConnection({ flag: "UseDevelopmentStorage=true" });
      const backend = await openBackend(connection, { onNotice: (line) => told.notices.push(line) });
      const tell = async () => told.pids.push((await backend.admin.status()).pid);
      await tell();
      ${script}
      backend.close();
    } catch ({ name, message, exitCode }) {
      told.error = { name, message, exitCode };
    }
    process.stdout.write(JSON.stringify(told));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", source], {
    env: { PATH: process.env["PATH"], HOME: folder, FANOUT_STATE_DIR: folder, ...env },
  });
  return JSON.parse(stdout) as Told;
}

/** A connection that somebody else has to the emulator. */
async function connectTo(path: string): Promise<Socket> {
  const connection = createConnection(path);
  connection.on("error", () => {});
  await once(connection, "connect");
  return connection;
}

test("an emulator that does not report in time is an error that names its process, and may still come", async () => {
  const launcher = new URL("emulator-launcher.js", BACKEND).href;
  const { ensureEmulator } = (await import(launcher)) as { ensureEmulator: typeof EnsureEmulator };
  const files = { database: "emulator.db", lock: "emulator.lock", log: "emulator.log" };
  const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path.join(folder, file)]));
  const state = { folder, socket, loopback: undefined, ...(paths as typeof files) };
  await expect(ensureEmulator(state, 1)).rejects.toMatchObject({
    code: "emulator-not-started",
    message: expect.stringMatching(/Its process \d+ has not reported within 0\.001 s/u) as string,
    hint: expect.stringContaining(state.log) as string,
  });
  await ensureEmulator(state);
  expect(await pidOnSocket()).toBeDefined();
});

describe("commands that need the emulator", () => {
  test("share one, also when five start at once, and it outlives them", async () => {
    const told = await Promise.all(Array.from({ length: 5 }, () => command()));
    expect(told.map(({ error }) => error)).toEqual(Array.from({ length: 5 }, () => undefined));
    const pids = new Set(told.flatMap(({ pids }) => pids));
    expect(pids.size).toBe(1);
    expect(told.flatMap(({ notices }) => notices)).toEqual([expect.stringContaining(folder)]);
    expect([await pidOnSocket()]).toEqual([...pids]);
    expect(await command()).toEqual({ pids: [...pids], notices: [] });
  });

  test("restart it after it was killed, once for all calls that find it gone", async () => {
    const { pids, notices, error } = await command(`
      process.kill(told.pids[0], "SIGKILL");
      await Promise.all([backend.recover(), backend.recover(), backend.recover()]);
      await tell();
      process.kill(told.pids[1], "SIGKILL");
      await Promise.all(Array.from({ length: 20 }, (_, n) =>
        backend.client.startInstance({ instanceId: "run-" + n, name: "Orchestrator", input: null })));
      await tell();
      const { instances } = await backend.client.queryInstances({ instanceIdPrefix: "run-" });
      if (instances.length !== 20) throw new Error("Expected 20 instances, found " + instances.length);`);
    expect(error).toBeUndefined();
    expect(new Set(pids).size).toBe(3);
    expect(notices).toEqual([
      expect.stringMatching(/^started/),
      expect.stringContaining("was gone"),
      expect.stringContaining("was gone"),
    ]);
  });

  test("replace an unused emulator of another version", async () => {
    const other = await spawnEmulator(folder, { version: "0.0.0-other" });
    const { pids, error } = await command();
    expect(error).toBeUndefined();
    expect(pids).not.toContain(other.child.pid);
    expect(await other.exited).toEqual({ code: 0, signal: null });
  });

  test("refuse an emulator of another version that others use, and leave it running", async () => {
    const other = await spawnEmulator(folder, { version: "0.0.0-other" });
    const connection = await connectTo(socket);
    const { error } = await command();
    expect(error).toMatchObject({ name: "FanoutError", exitCode: 1 });
    expect(error!.message).toContain("0.0.0-other");
    expect(error!.message).toContain(FANOUT_VERSION);
    expect(error!.message).toContain("fanout emulator stop");
    expect(await pidOnSocket()).toBe(other.child.pid);
    connection.destroy();
  });

  test("say why it did not start, and where its log is", async () => {
    const newer = new DatabaseSync(path.join(folder, "emulator.db"));
    newer.exec("PRAGMA user_version = 1000");
    newer.close();
    const { error } = await command();
    expect(error).toMatchObject({ name: "FanoutError", exitCode: 1 });
    expect(error!.message).toContain("schema 1000");
    expect(error!.message).toContain(path.join(folder, "emulator.log"));
    expect(readFileSync(path.join(folder, "emulator.log"), "utf8")).toContain("schema 1000");
  });

  test("say what is wrong with the state folder", async () => {
    const file = path.join(folder, "file");
    writeFileSync(file, "");
    const { error } = await command("", { FANOUT_STATE_DIR: file });
    expect(error).toMatchObject({ name: "UsageError", exitCode: 2 });
    expect(error!.message).toContain(file);
  });

  test("start a new log when the old one is long, and keep the old one", async () => {
    const log = path.join(folder, "emulator.log");
    writeFileSync(log, "x".repeat(1_000_001));
    await command();
    expect(statSync(`${log}.old`).size).toBe(1_000_001);
    expect(readFileSync(log, "utf8")).toContain(`started, version ${FANOUT_VERSION}`);
  });

  test.skipIf(process.platform !== "linux")("start it without their secrets, terminal and folder", async () => {
    const secrets = {
      AZURE_CLIENT_SECRET: "hunter2",
      NODE_OPTIONS: "--no-deprecation",
      DURABLE_TASK_CONNECTION_STRING: "",
    };
    const [pid] = (await command("", { ...secrets, LANG: "C.UTF-8" })).pids;
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
    for (const name of Object.keys(secrets)) expect(environment).not.toContain(name);

    expect(environment).not.toContain("hunter2");
    expect(environment).toContain("LANG=C.UTF-8");
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe(realpathSync(folder));
    // Behind the name in parentheses: state, parent, process group, session, terminal.
    const [, , group, session, terminal] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
    expect([Number(group), Number(session), Number(terminal)]).toEqual([pid, pid, 0]);
    expect(readlinkSync(`/proc/${pid}/fd/0`)).toBe("/dev/null");
    expect(readlinkSync(`/proc/${pid}/fd/1`)).toBe(path.join(realpathSync(folder), "emulator.log"));
  });
});

describe("the emulator's process", () => {
  test("is the only one of its folder", async () => {
    const first = await spawnEmulator(folder);
    expect(first.message).toEqual({ state: "ready", pid: first.child.pid });
    const second = await spawnEmulator(folder);
    expect(second.message).toEqual({ state: "taken" });
    expect(await second.exited).toMatchObject({ code: 0 });
    expect(await pidOnSocket()).toBe(first.child.pid);
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "ends on %s without an error, and takes its socket away",
    async (signal) => {
      const emulator = await spawnEmulator(folder);
      expect(existsSync(socket)).toBe(true);
      const connection = await connectTo(socket);
      emulator.child.kill(signal);
      expect(await emulator.exited).toEqual({ code: 0, signal: null });
      expect(existsSync(socket)).toBe(false);
      connection.destroy();
    },
  );

  test("ends when it is asked to, and the next one takes its place", async () => {
    const first = await spawnEmulator(folder);
    const admin = new AdminConnection({ address: `unix:${socket}`, token: undefined });
    await admin.stop();
    admin.close();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect((await spawnEmulator(folder)).message.state).toBe("ready");
  });

  test("takes the place of one that was killed, whose socket is still there", async () => {
    const first = await spawnEmulator(folder);
    first.child.kill("SIGKILL");
    await first.exited;
    expect(existsSync(socket)).toBe(true);
    const second = await spawnEmulator(folder);
    expect(second.message.state).toBe("ready");
    expect(await pidOnSocket()).toBe(second.child.pid);
  });

  test("leaves by itself if nobody comes", async () => {
    const emulator = await spawnEmulator(folder, { idleMs: 50 });
    expect(await emulator.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(socket)).toBe(false);
  });

  test("counts its idle time from the end of the last connection", async () => {
    const idleMs = 3_000;
    const emulator = await spawnEmulator(folder, { idleMs });
    const connection = await connectTo(socket);
    expect(await pidOnSocket()).toBe(emulator.child.pid);
    const closedMs = performance.now();
    connection.destroy();
    expect(await emulator.exited).toEqual({ code: 0, signal: null });
    // A millisecond of tolerance: the two processes read clocks of their own.
    expect(performance.now() - closedMs).toBeGreaterThanOrEqual(idleMs - 1);
  });
});
