import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqliteStore } from "../../../../src/emulator/store/sqlite/store.js";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { bytes, committed, eventTexts, framed, ids, newInstance } from "../../../support/emulator/store-contract.js";

/** The tables that all versions have had. */
const TABLES = `
  CREATE TABLE instances (
    key INTEGER PRIMARY KEY,
    task_hub TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version BLOB,
    status INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    completed_us INTEGER NOT NULL DEFAULT 0,
    scheduled_start_us INTEGER NOT NULL,
    tasks_completed INTEGER NOT NULL DEFAULT 0,
    input BLOB,
    output BLOB,
    custom_status BLOB,
    failure BLOB
  ) STRICT;
  CREATE UNIQUE INDEX instances_by_id ON instances (task_hub, instance_id);

  -- Framed events, a chunk for each episode.
  CREATE TABLE history (
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    events BLOB NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT, WITHOUT ROWID;

  -- Events received and not yet processed by an episode.
  CREATE TABLE waiting (
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT, WITHOUT ROWID;
`;

/** How each earlier version made a file, by its number. */
const MADE: Readonly<Record<number, string>> = {
  1: `${TABLES}
    CREATE INDEX instances_by_completion ON instances (task_hub, completed_us, key);
    CREATE INDEX instances_active ON instances (key) WHERE completed_us = 0;`,
  2: `${TABLES}
    CREATE UNIQUE INDEX instances_in_flight ON instances (task_hub, instance_id) WHERE completed_us = 0;
    CREATE INDEX instances_ended ON instances (completed_us, key) WHERE completed_us > 0;

    CREATE TABLE totals (
      instances INTEGER NOT NULL
    ) STRICT;
    INSERT INTO totals SELECT count(*) FROM instances;`,
};
/** What an earlier version had written beside the rows. */
const WRITTEN: Readonly<Record<number, string>> = { 1: "", 2: "UPDATE totals SET instances = 3;" };

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-schema-"));
  file = path.join(folder, "emulator.db");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** A file of that version, with two instances that have ended and one that runs. */
function makeOld(version: number): void {
  const old = new DatabaseSync(file);
  old.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; ${MADE[version]!}`);
  const insert = old.prepare(`INSERT INTO instances (task_hub, instance_id, execution_id, name, status, created_us,
    updated_us, completed_us, scheduled_start_us, tasks_completed, output) VALUES (?, ?, 'e', 'O', ?, 1, 2, ?, 0, ?, ?)`);
  insert.run("hub", "ended", Status.Completed, 20, 3, bytes("output"));
  insert.run("other", "failed", Status.Failed, 10, 4, null);
  insert.run("hub", "running", Status.Running, 0, 5, null);
  old.exec("INSERT INTO history VALUES (3, 0, x'1a0168'); INSERT INTO waiting VALUES (3, 1, x'77')");
  old.exec(`${WRITTEN[version]!} PRAGMA user_version = ${version}`);
  old.close();
}

function schemaOf(database: string): unknown[] {
  const db = new DatabaseSync(database);
  const schema = db
    .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name")
    .all()
    .map((row) => ({ ...row, sql: String(row["sql"]).replaceAll(/\s+/gu, " ") }));
  const version = db.prepare("PRAGMA user_version").get();
  db.close();
  return [...schema, version];
}

describe.each([1, 2])("a file of version %d", (version) => {
  test("is brought up to date, with all that was in it", async () => {
    makeOld(version);
    const store = await openSqliteStore(file);
    expect(store.instanceCount()).toBe(3);
    expect(store.find("hub", "ended", true)).toMatchObject({ key: 1, tasksCompleted: 3, output: bytes("output") });
    expect(store.oldestEnded(100, 10)).toEqual([2, 1]);
    expect([...store.active()]).toMatchObject([
      { row: { key: 3, instanceId: "running" }, nextHistorySeq: 1, waiting: [{ seq: 1, event: bytes("w") }] },
    ]);
    expect(eventTexts(store, 3)).toEqual(["h", "w"]);
    store.close();
  });

  test("goes on with what it had not before", async () => {
    makeOld(version);
    const store = await openSqliteStore(file);
    const none = { parentId: undefined, parent: undefined, tags: [], trace: undefined };
    expect(store.find("hub", "running", false)).toMatchObject(none);
    expect(store.activeOne(3).row).toMatchObject(none);
    expect(store.taskHubs()).toEqual([]);
    committed(store, () => {
      store.insertInstance(newInstance({ instanceId: "child", parentId: "running", tags: [bytes("tag")] }));
      store.deleteInstance(1);
      store.reopen(2, 30);
      const failed = { executionId: "again", history: framed("kept"), parent: undefined, tasksCompleted: 4 };
      store.rewind(2, { ...failed, updatedUs: 31 });
      store.addTaskHub("created");
    });
    store.close();

    const again = await openSqliteStore(file);
    expect(again.instanceCount()).toBe(3);
    expect(ids(again.childrenOf("hub", "running"))).toEqual(["child"]);
    expect([...again.active()].map(({ row }) => row.instanceId)).toEqual(["child", "running", "failed"]);
    expect(eventTexts(again, 2)).toEqual(["kept"]);
    expect(again.taskHubs()).toEqual(["created"]);
    again.close();
  });

  test("has the tables of a file that is made now", async () => {
    makeOld(version);
    (await openSqliteStore(file)).close();
    const made = path.join(folder, "made.db");
    (await openSqliteStore(made)).close();
    expect(schemaOf(file)).toEqual(schemaOf(made));
  });

  test("that cannot be brought up to date is left as it was", async () => {
    makeOld(version);
    const old = new DatabaseSync(file);
    old.exec("CREATE TABLE task_hubs (in_the_way TEXT)");
    old.close();
    const before = schemaOf(file);
    await expect(openSqliteStore(file)).rejects.toThrow("task_hubs");
    expect(schemaOf(file)).toEqual(before);
  });
});
