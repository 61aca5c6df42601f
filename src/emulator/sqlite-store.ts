import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { unframe } from "./history.js";
import { SqliteCode, loadSqlite, sqliteCode } from "./sqlite.js";
import { isTerminal } from "./status.js";
import {
  StoreError,
  type ActiveInstance,
  type CompletedFilter,
  type EpisodeResult,
  type InstanceRow,
  type NewInstance,
  type NextExecution,
  type RowFilter,
  type Store,
  type WaitingEvent,
} from "./store.js";

/** Grows with every change of the tables; a file of a greater one belongs to a newer fanout. */
const SCHEMA_VERSION = 1;

const SCHEMA = `
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
  CREATE INDEX instances_by_completion ON instances (task_hub, completed_us, key);
  CREATE INDEX instances_active ON instances (key) WHERE completed_us = 0;

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

const METADATA = `key, task_hub, instance_id, execution_id, name, version, status, created_us, updated_us, completed_us,
  scheduled_start_us, tasks_completed`;
const PAYLOADS = "input, output, custom_status, failure";

type Row = Record<string, null | number | bigint | string | Uint8Array>;

/**
 * Opens the database file, or a private one in memory for `:memory:`. Throws `StoreError` if the file is locked by
 * another process, was written by a newer version, or is no database.
 */
export async function openSqliteStore(file: string): Promise<Store> {
  const { DatabaseSync } = await loadSqlite();
  return guarded(() => new SqliteStore(new DatabaseSync(file)));
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
    // The lock is held for the life of the process, so the WAL index can stay in its memory.
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536");
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > SCHEMA_VERSION) {
      db.close();
      throw new StoreError("newer", `it has schema ${version}, this version of fanout knows up to ${SCHEMA_VERSION}`);
    }
    if (version === 0) {
      db.exec(`BEGIN IMMEDIATE; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
    }
  }

  begin(): void {
    this.#run("BEGIN IMMEDIATE");
  }

  commit(): void {
    this.#run("COMMIT");
  }

  rollback(): void {
    // SQLite has rolled back by itself after some errors; then there is nothing left to do.
    if (this.#db.isTransaction) {
      this.#run("ROLLBACK");
    }
  }

  insertInstance(instance: NewInstance): number | undefined {
    const { changes, lastInsertRowid } = this.#run(
      `INSERT INTO instances (task_hub, instance_id, execution_id, name, version, status, created_us, updated_us,
         scheduled_start_us, input) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      instance.taskHub,
      instance.instanceId,
      instance.executionId,
      instance.name,
      instance.version ?? null,
      instance.status,
      instance.createdUs,
      instance.createdUs,
      instance.scheduledStartUs,
      instance.input ?? null,
    );
    return changes === 0 ? undefined : Number(lastInsertRowid);
  }

  appendWaiting(key: number, { seq, event }: WaitingEvent): void {
    this.#run("INSERT INTO waiting (key, seq, event) VALUES (?, ?, ?)", key, seq, event);
  }

  applyEpisode(key: number, result: EpisodeResult): void {
    this.#run("INSERT INTO history (key, seq, events) VALUES (?, ?, ?)", key, result.historySeq, result.history);
    if (isTerminal(result.status)) {
      this.#run("DELETE FROM waiting WHERE key = ?", key);
    } else {
      this.#run("DELETE FROM waiting WHERE key = ? AND seq <= ?", key, result.processedSeq);
    }
    this.#run(
      `UPDATE instances SET status = ?, updated_us = ?, completed_us = ?, tasks_completed = ?,
         output = coalesce(?, output), custom_status = coalesce(?, custom_status), failure = coalesce(?, failure)
       WHERE key = ?`,
      result.status,
      result.updatedUs,
      result.completedUs,
      result.tasksCompleted,
      result.output ?? null,
      result.customStatus ?? null,
      result.failure ?? null,
      key,
    );
  }

  restart(key: number, next: NextExecution): void {
    this.#run("DELETE FROM history WHERE key = ?", key);
    this.#run("DELETE FROM waiting WHERE key = ?", key);
    this.#run(
      `UPDATE instances SET execution_id = ?, version = coalesce(?, version), input = ?,
         tasks_completed = ?, updated_us = ?, status = ?, custom_status = coalesce(?, custom_status) WHERE key = ?`,
      next.executionId,
      next.version ?? null,
      next.input ?? null,
      next.tasksCompleted,
      next.updatedUs,
      next.status,
      next.customStatus ?? null,
      key,
    );
  }

  deleteInstance(key: number): void {
    this.#run("DELETE FROM history WHERE key = ?", key);
    this.#run("DELETE FROM waiting WHERE key = ?", key);
    this.#run("DELETE FROM instances WHERE key = ?", key);
  }

  find(taskHub: string, instanceId: string, payloads: boolean): InstanceRow | undefined {
    const [row] = this.#all(
      `SELECT ${columns(payloads)} FROM instances WHERE task_hub = ? AND instance_id = ?`,
      taskHub,
      instanceId,
    );
    return row && instanceRow(row);
  }

  query(filter: RowFilter): InstanceRow[] {
    const { where, values } = conditions(
      ["task_hub = ?", filter.taskHub],
      ["instance_id > ?", filter.afterInstanceId],
      filter.instanceIdPrefix !== "" && ["instance_id >= ?", filter.instanceIdPrefix],
      filter.instanceIdPrefix !== "" && ["instance_id < ?", behindPrefix(filter.instanceIdPrefix)],
      filter.statuses.length > 0 && [oneOf("status", filter.statuses), ...filter.statuses],
      filter.createdFromUs > 0 && ["created_us >= ?", filter.createdFromUs],
      filter.createdToUs > 0 && ["created_us <= ?", filter.createdToUs],
    );
    const sql = `SELECT ${columns(filter.payloads)} FROM instances WHERE ${where} ORDER BY instance_id LIMIT ?`;
    return this.#all(sql, ...values, filter.limit).map(instanceRow);
  }

  listCompleted(filter: CompletedFilter): InstanceRow[] {
    const { where, values } = conditions(
      ["task_hub = ?", filter.taskHub],
      filter.statuses.length > 0 && [oneOf("status", filter.statuses), ...filter.statuses],
      filter.completedFromUs > 0 && ["completed_us >= ?", filter.completedFromUs],
      filter.completedToUs > 0 && ["completed_us BETWEEN 1 AND ?", filter.completedToUs],
      filter.after !== undefined && ["(completed_us, key) > (?, ?)", filter.after.completedUs, filter.after.key],
    );
    const sql = `SELECT ${columns(false)} FROM instances WHERE ${where} ORDER BY completed_us, key LIMIT ?`;
    return this.#all(sql, ...values, filter.limit).map(instanceRow);
  }

  events(key: number): Uint8Array[] {
    const history = this.#all("SELECT events FROM history WHERE key = ? ORDER BY seq", key);
    const waiting = this.#all("SELECT event FROM waiting WHERE key = ? ORDER BY seq", key);
    return [
      ...history.flatMap((row) => [...unframe(row["events"] as Uint8Array)]),
      ...waiting.map((row) => row["event"] as Uint8Array),
    ];
  }

  *active(): Iterable<ActiveInstance> {
    for (const row of this.#all(`SELECT ${METADATA} FROM instances WHERE completed_us = 0 ORDER BY key`)) {
      const key = Number(row["key"]);
      const chunks = this.#all("SELECT seq, events FROM history WHERE key = ? ORDER BY seq", key);
      const waiting = this.#all("SELECT seq, event FROM waiting WHERE key = ? ORDER BY seq", key);
      yield {
        row: instanceRow(row),
        history: Buffer.concat(chunks.map((chunk) => chunk["events"] as Uint8Array)),
        nextHistorySeq: Number(chunks.at(-1)?.["seq"] ?? -1) + 1,
        waiting: waiting.map((event) => ({ seq: Number(event["seq"]), event: event["event"] as Uint8Array })),
      };
    }
  }

  tasksCompletedByEnded(taskHub: string, instanceIdPrefix: string): number {
    const { where, values } = conditions(
      ["task_hub = ?", taskHub],
      ["completed_us > ?", 0],
      ["instance_id >= ?", instanceIdPrefix],
      instanceIdPrefix !== "" && ["instance_id < ?", behindPrefix(instanceIdPrefix)],
    );
    const [row] = this.#all(`SELECT total(tasks_completed) AS sum FROM instances WHERE ${where}`, ...values);
    return Number(row?.["sum"]);
  }

  counts(): { instances: number; inFlight: number } {
    const [row] = this.#all(
      `SELECT (SELECT count(*) FROM instances) AS instances,
              (SELECT count(*) FROM instances WHERE completed_us = 0) AS in_flight`,
    );
    return { instances: Number(row?.["instances"]), inFlight: Number(row?.["in_flight"]) };
  }

  close(): void {
    this.#db.close();
  }

  #run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return guarded(() => this.#prepare(sql).run(...values));
  }

  #all(sql: string, ...values: SQLInputValue[]): Row[] {
    return guarded(() => this.#prepare(sql).all(...values) as Row[]);
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof StoreError) {
      throw error;
    }
    const code = sqliteCode(error);
    const fault =
      code === SqliteCode.Full ? "full" : code === SqliteCode.Busy || code === SqliteCode.Locked ? "locked" : "broken";
    throw new StoreError(fault, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function columns(payloads: boolean): string {
  return payloads ? `${METADATA}, ${PAYLOADS}` : METADATA;
}

/** The least text that is greater than every text with that prefix, in SQLite's order of bytes. */
function behindPrefix(prefix: string): string {
  return `${prefix}\u{10FFFF}`;
}

function oneOf(column: string, values: readonly unknown[]): string {
  return `${column} IN (${values.map(() => "?").join(", ")})`;
}

type Condition = readonly [sql: string, ...values: SQLInputValue[]];

function conditions(...all: readonly (Condition | false)[]): { where: string; values: SQLInputValue[] } {
  const wanted = all.filter((condition) => condition !== false);
  return { where: wanted.map(([sql]) => sql).join(" AND "), values: wanted.flatMap(([, ...values]) => values) };
}

function instanceRow(row: Row): InstanceRow {
  const bytes = (column: string): Uint8Array | undefined => (row[column] as Uint8Array | null | undefined) ?? undefined;
  return {
    key: Number(row["key"]),
    taskHub: String(row["task_hub"]),
    instanceId: String(row["instance_id"]),
    executionId: String(row["execution_id"]),
    name: String(row["name"]),
    version: bytes("version"),
    status: Number(row["status"]),
    createdUs: Number(row["created_us"]),
    updatedUs: Number(row["updated_us"]),
    completedUs: Number(row["completed_us"]),
    scheduledStartUs: Number(row["scheduled_start_us"]),
    input: bytes("input"),
    output: bytes("output"),
    customStatus: bytes("custom_status"),
    failure: bytes("failure"),
    tasksCompleted: Number(row["tasks_completed"]),
  };
}
