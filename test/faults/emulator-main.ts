/**
 * An emulator in a process of its own, as `fanout emulator` runs it, with what a test of faults needs beside it: a
 * disk that can be full, commits that go wrong, and flaws for the test to find. Needs the build.
 *
 * Argument: `EmulatorArguments` as JSON. Tells its parent `{ ready: true }`; ends on SIGTERM.
 */
import fs, { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { inspect } from "node:util";
import type { DatabaseSync } from "node:sqlite";
import { INTRODUCE, type Flaw } from "./flaws.js";
import { CommitTrap, type Trap } from "./commit-trap.js";
import { wrap } from "./wrap.js";
import { runEmulator } from "../../dist/emulator/process/run-emulator.js";
import { Statements } from "../../dist/emulator/store/sqlite/statements.js";
import { loadSqlite } from "../../dist/emulator/store/sqlite/load.js";
import { openStateFolder } from "../../dist/protocol/state-folder.js";

export interface EmulatorArguments {
  readonly folder: string;
  /** The log grows to so many pages before it is written to the database. */
  readonly checkpointPages: number;
  /** Each sync takes so much longer, and each transaction begins so much later. */
  readonly diskMs: number;
  /** It is as it should be without one. */
  readonly flaw?: Flaw | undefined;
}

/** What its parent asks for: the disk is full until it is not, or a commit is one that goes wrong. */
export type EmulatorOrder = { readonly full: boolean } | { readonly trap: Trap };

const { folder, checkpointPages, diskMs, flaw } = JSON.parse(process.argv[2] ?? "{}") as EmulatorArguments;

const state = openStateFolder({ FANOUT_STATE_DIR: folder });
const databases = new Set<DatabaseSync>();
await watchDatabases();
const commitTrap = new CommitTrap();
if (diskMs > 0) slowDisk(diskMs);
if (flaw !== undefined) INTRODUCE[flaw]();
try {
  const run = await runEmulator({ state, version: "test", port: undefined, idleMs: undefined });
  if (run === undefined) throw new Error("Another emulator has the folder.");
  store()?.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  process.on("SIGTERM", run.stop);
  process.on("message", (order: EmulatorOrder) => {
    if ("trap" in order) {
      commitTrap.set(order.trap);
      return;
    }
    const { full } = order;
    // It cannot be less than what there is: then the file no longer grows.
    store()?.exec(`PRAGMA max_page_count = ${full ? 1 : 0xff_ff_ff_fe}`);
  });
  // Whoever has started it has gone.
  process.on("disconnect", () => process.exit(2));
  process.send?.({ ready: true });
  await run.stopped;
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  // With its causes, for whoever looks into a failure.
  writeFileSync(`${folder}/start-${process.pid}.txt`, inspect(error));
  process.exit(1);
}

function store(): DatabaseSync | undefined {
  return [...databases].find((database) => database.isOpen && database.location()?.endsWith("emulator.db") === true);
}

/** The emulator keeps its databases to itself; all of them execute something first. */
async function watchDatabases(): Promise<void> {
  const { DatabaseSync } = await loadSqlite();
  wrap(DatabaseSync.prototype, "exec", (exec) => {
    return function watched(this: DatabaseSync, sql: string) {
      databases.add(this);
      exec.call(this, sql);
    };
  });
}

/** What belongs together and is not done together is further apart on it, so that a kill comes in between. */
function slowDisk(ms: number): void {
  const wait = (): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  const { fdatasync, fdatasyncSync } = fs;
  Object.assign(fs, {
    fdatasync: (descriptor: number, done: fs.NoParamCallback) => {
      setTimeout(() => fdatasync(descriptor, done), ms);
    },
    fdatasyncSync: (descriptor: number) => {
      wait();
      fdatasyncSync(descriptor);
    },
  });
  syncBuiltinESMExports();
  wrap(Statements.prototype, "run", (run) => {
    return function delayed(this: Statements, sql, ...values) {
      if (sql === "BEGIN IMMEDIATE") wait();
      return run.call(this, sql, ...values);
    };
  });
}
