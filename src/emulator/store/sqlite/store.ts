import { existsSync, realpathSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { MACHINE_TIME } from "../../clock/machine-time.js";
import type { SteadyTime } from "../../clock/system-time.js";
import { unframe } from "../../../protocol/event-frames.js";
import { LogSync, type Disk, type SyncDone } from "../log-sync.js";
import { readActive, readActiveOne } from "./active.js";
import { damageOf, guarded, storeError } from "./error.js";
import { InstanceWriter } from "./instances.js";
import {
  METADATA,
  MOST_PAYLOAD_BYTES,
  MOST_ROWS,
  columns,
  conditions,
  idRange,
  instanceRow,
  payloadBytes,
  readByCompletion,
  readById,
  type RangeRead,
} from "./read.js";
import { prepareSchema, schemaVersion } from "./schema.js";
import { Statements } from "./statements.js";
import { loadSqlite } from "./load.js";
import { StoreFiles } from "../store-files.js";
import {
  StoreError,
  type ActiveInstance,
  type CompletedFilter,
  type CompletedPlace,
  type DetachedTask,
  type EndedFilter,
  type EndedInstance,
  type EndedPlace,
  type EpisodeResult,
  type InstanceRow,
  type NewInstance,
  type NextExecution,
  type Page,
  type Rewound,
  type RowFilter,
  type ScheduledTask,
  type Store,
  type StoreSpace,
  type WaitingEvent,
} from "../store.js";

/** The log grows to so many pages of 4 KiB before it is written to the database, which holds up the event loop. */
const CHECKPOINT_PAGES = 4_000;
/** What the log keeps of its size behind a checkpoint: twice what it has then. */
const MOST_LOG_BYTES = 32 * 1024 * 1024;

/** A file that was not closed is checked page by page: about a second. A larger one takes too long for a start. */
const MOST_CHECKED_BYTES = 512 * 1024 * 1024;

export interface SqliteStoreOptions {
  /** Undefined: that of this machine. */
  readonly time?: Pick<SteadyTime, "steadyMs"> | undefined;
  /** In place of the system's calls. */
  readonly disk?: Disk | undefined;
  /** Told, before the call that found it throws, that the file is damaged: nothing is written to it any more. */
  readonly onDamaged?: (error: StoreError) => void;
}

/**
 * Opens the database file, or a private one in memory for `:memory:`. Throws `StoreError` if the file is locked by
 * another process, was written by a newer version, is damaged, or is no database.
 */
export async function openSqliteStore(file: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const { DatabaseSync } = await loadSqlite();
  const wasClosed = file === ":memory:" || sizeOf(logOf(file)) === 0;
  try {
    return guarded(() => new SqliteStore(new DatabaseSync(file), file, wasClosed, options));
  } catch (error) {
    throw error instanceof StoreError && error.fault === "damaged" ? damageOf(file, error) : error;
  }
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #instances: InstanceWriter;
  /** Undefined for a store in memory. */
  readonly #log: LogSync | undefined;
  /** As `#log`. */
  readonly #files: StoreFiles | undefined;
  #lost = false;

  constructor(db: DatabaseSync, file: string, wasClosed: boolean, options: SqliteStoreOptions) {
    const { time = MACHINE_TIME, disk, onDamaged } = options;
    this.#db = db;
    this.#statements = new Statements(db, (error) => {
      if (error.fault !== "damaged") return error;
      this.#lost = true;
      const damage = damageOf(file, error);
      onDamaged?.(damage);
      return damage;
    });
    this.#instances = new InstanceWriter(this.#statements);
    try {
      // The lock is held for the life of the process, so the WAL index can stay in its memory.
      db.exec("PRAGMA locking_mode = EXCLUSIVE");
      // In front of what writes to the file.
      schemaVersion(db);
      if (!wasClosed && sizeOf(file) <= MOST_CHECKED_BYTES) checkPages(db);
      db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
      db.exec("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536");
      prepareSchema(db);
      this.#log = file === ":memory:" ? undefined : openLog(file, time, disk);
      this.#files = file === ":memory:" ? undefined : new StoreFiles([file, logOf(file)], time);
    } catch (error) {
      // To close it is to write what is in the log to the database, and a damaged one is for a person to look at.
      if (storeError(error).fault === "damaged") leftOpen.add(db);
      else db.close();
      throw error;
    }
    // From here on COMMIT leaves the log in the memory of the kernel, and `sync` brings it to the disk. A checkpoint
    // still syncs the log in front of what it writes and the database behind it, and a log that begins anew its header.
    db.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    // One transaction may make it larger: then it is cut when it begins anew.
    db.exec(`PRAGMA journal_size_limit = ${MOST_LOG_BYTES}`);
  }

  begin(): void {
    this.#statements.run("BEGIN IMMEDIATE");
  }

  commit(): void {
    this.#statements.run("COMMIT");
  }

  sync(done: SyncDone): void {
    if (this.#log === undefined) {
      done(undefined);
      return;
    }
    this.#log.sync((error) => {
      const fault = error ?? this.#files?.checkOften();
      this.#lost ||= fault !== undefined;
      done(fault);
    });
  }

  syncNow(): void {
    try {
      this.#log?.syncNow();
    } catch (error) {
      this.#lost = true;
      throw error;
    }
    this.checkFiles();
  }

  checkFiles(): void {
    const fault = this.#files?.check();
    if (fault === undefined) return;
    this.#lost = true;
    throw fault;
  }

  rollback(): void {
    // SQLite has rolled back by itself after some errors; then there is nothing left to do.
    if (this.#db.isTransaction) this.#statements.run("ROLLBACK");
  }

  insertInstance(instance: NewInstance): number | undefined {
    const key = this.#instances.insert(instance);
    if (key !== undefined) this.#count(1);

    return key;
  }

  appendWaiting(key: number, waiting: WaitingEvent): void {
    this.#instances.appendWaiting(key, waiting);
  }

  applyEpisode(key: number, result: EpisodeResult): void {
    this.#instances.applyEpisode(key, result);
  }

  restart(key: number, next: NextExecution): void {
    this.#instances.restart(key, next);
  }

  setStatus(key: number, status: number, updatedUs: number): void {
    this.#instances.setStatus(key, status, updatedUs);
  }

  reopen(key: number, updatedUs: number): void {
    this.#instances.reopen(key, updatedUs);
  }

  rewind(key: number, rewound: Rewound): void {
    this.#instances.rewind(key, rewound);
  }

  deleteInstance(key: number): void {
    if (this.#instances.delete(key)) this.#count(-1);
  }

  addDetached({ taskHub, instanceId, executionId, taskId, scheduled }: ScheduledTask): void {
    // A client may have given the execution id of an earlier instance, whose activity is still to be run.
    const sql = "INSERT OR REPLACE INTO detached_tasks VALUES (?, ?, ?, ?, ?)";
    this.#statements.run(sql, taskHub, instanceId, executionId, taskId, scheduled);
  }

  removeDetached({ taskHub, instanceId, executionId, taskId }: DetachedTask): void {
    const sql = `DELETE FROM detached_tasks WHERE task_hub = ? AND instance_id = ? AND execution_id = ? AND task_id = ?`;
    this.#statements.run(sql, taskHub, instanceId, executionId, taskId);
  }

  clearDetached(taskHub: string): void {
    this.#statements.run("DELETE FROM detached_tasks WHERE task_hub = ?", taskHub);
  }

  detached(): ScheduledTask[] {
    const sql = "SELECT * FROM detached_tasks ORDER BY task_hub, instance_id, execution_id, task_id";
    return this.#statements.all(sql).map((row) => ({
      taskHub: String(row["task_hub"]),
      instanceId: String(row["instance_id"]),
      executionId: String(row["execution_id"]),
      taskId: Number(row["task_id"]),
      scheduled: row["scheduled"] as Uint8Array,
    }));
  }

  find(taskHub: string, instanceId: string, payloads: boolean): InstanceRow | undefined {
    const [row] = this.#statements.all(
      `SELECT ${columns(payloads)} FROM instances WHERE task_hub = ? AND instance_id = ?`,
      taskHub,
      instanceId,
    );
    return row && instanceRow(row);
  }

  query(filter: RowFilter): Page<string> {
    return this.#page(readById(filter), filter.limit);
  }

  listCompleted(filter: CompletedFilter): Page<CompletedPlace> {
    return this.#page(readByCompletion(filter), filter.limit);
  }

  childrenOf(taskHub: string, instanceId: string): InstanceRow[] {
    const sql = `SELECT ${METADATA} FROM instances INDEXED BY instances_by_parent WHERE task_hub = ? AND parent_id = ?`;
    return this.#statements.all(sql, taskHub, instanceId).map(instanceRow);
  }

  history(key: number): Uint8Array[] {
    const chunks = this.#statements.all("SELECT events FROM history WHERE key = ? ORDER BY seq", key);
    return chunks.flatMap((row) => [...unframe(row["events"] as Uint8Array)]);
  }

  waiting(key: number): Uint8Array[] {
    const rows = this.#statements.all("SELECT event FROM waiting WHERE key = ? ORDER BY seq", key);
    return rows.map((row) => row["event"] as Uint8Array);
  }

  active(): Iterable<ActiveInstance> {
    return readActive(this.#statements);
  }

  activeOne(key: number): ActiveInstance {
    return readActiveOne(this.#statements, key);
  }

  resultsOfEnded(filter: EndedFilter): { sum: number; next: string | undefined } {
    const { where, values } = conditions(...idRange(filter));
    const [row] = this.#statements.all(
      `SELECT count(*) AS scanned, max(instance_id) AS last,
         total(tasks_completed) FILTER (WHERE completed_us BETWEEN 1 AND ?) AS sum
       FROM (SELECT instance_id, completed_us, tasks_completed FROM instances WHERE ${where} ORDER BY instance_id LIMIT ?)`,
      filter.completedToUs,
      ...values,
      MOST_ROWS,
    );
    const next = Number(row?.["scanned"]) < MOST_ROWS ? undefined : String(row?.["last"]);
    return { sum: Number(row?.["sum"]), next };
  }

  instanceCount(): number {
    const [row] = this.#statements.all("SELECT instances FROM totals");
    return Number(row?.["instances"]);
  }

  taskHubs(): string[] {
    return this.#statements.all("SELECT name FROM task_hubs ORDER BY name").map((row) => String(row["name"]));
  }

  addTaskHub(name: string): void {
    this.#statements.run("INSERT INTO task_hubs (name) VALUES (?) ON CONFLICT DO NOTHING", name);
  }

  removeTaskHub(name: string): void {
    this.#statements.run("DELETE FROM task_hubs WHERE name = ?", name);
  }

  oldestEnded(completedToUs: number, limit: number): number[] {
    const sql = `SELECT key FROM instances INDEXED BY instances_ended WHERE completed_us > 0 AND completed_us <= ?
      ORDER BY completed_us, key LIMIT ?`;
    return this.#statements.all(sql, completedToUs, limit).map((row) => Number(row["key"]));
  }

  endedAfter(place: EndedPlace, completedToUs: number, limit: number): EndedInstance[] {
    const sql = `SELECT key, completed_us, instance_id FROM instances INDEXED BY instances_ended
      WHERE completed_us > 0 AND (completed_us, key) > (?, ?) AND completed_us <= ? ORDER BY completed_us, key LIMIT ?`;
    return this.#statements.all(sql, place.completedUs, place.key, completedToUs, limit).map((row) => ({
      key: Number(row["key"]),
      completedUs: Number(row["completed_us"]),
      instanceId: String(row["instance_id"]),
    }));
  }

  space(): StoreSpace {
    const [row] = this.#statements.all(
      `SELECT page_size * page_count AS size, page_size * freelist_count AS free
       FROM pragma_page_size, pragma_page_count, pragma_freelist_count`,
    );
    return { bytes: Number(row?.["size"]), freeBytes: Number(row?.["free"]) };
  }

  releaseSpace(bytes: number): void {
    const [row] = this.#statements.all("SELECT page_size FROM pragma_page_size");
    const pages = Math.ceil(bytes / Number(row?.["page_size"]));
    // Not a prepared statement: it has a step for each page, and `run` takes one.
    this.#statements.guarded(() => {
      this.#db.exec(`PRAGMA incremental_vacuum(${pages})`);
    });
  }

  trim(): void {
    this.#statements.guarded(() => {
      this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    });
  }

  close(): void {
    this.#log?.close();
    // To close it is to write what is in the log to the database, which needs a log that is on disk.
    if (!this.#lost) this.#db.close();
  }

  /**
   * The rows of one read: a page of what is in the range, and from where to go on. A filter that few rows pass is tried
   * on a bounded number of them, and payloads end a page early, so that no read holds up all other work.
   */
  #page<P>(read: RangeRead<P>, limit: number): Page<P> {
    const rows: InstanceRow[] = [];
    let bytes = 0;
    for (const row of this.#statements.iterate(read.rows.sql, ...read.rows.values)) {
      const last = rows.at(-1);
      if (last !== undefined && (rows.length === limit || bytes >= MOST_PAYLOAD_BYTES))
        return { rows, next: read.placeOf(last) };

      const instance = instanceRow(row);
      rows.push(instance);
      bytes += payloadBytes(instance);
    }
    const [last] = read.last === undefined ? [] : this.#statements.all(read.last.sql, ...read.last.values);
    return { rows, next: last && read.placeOf(instanceRow(last)) };
  }

  #count(change: number): void {
    this.#statements.run("UPDATE totals SET instances = instances + ?", change);
  }
}

/** Behind a link it is beside the file. */
function logOf(file: string): string {
  return `${existsSync(file) ? realpathSync(file) : file}-wal`;
}

/** Kept from the garbage collector, which would close them. */
const leftOpen = new Set<DatabaseSync>();

/** Bytes of a file; 0 where there is none. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Throws `StoreError` for what a crash, or a disk, has left of the file. */
function checkPages(db: DatabaseSync): void {
  const found = String(db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
  if (found === "ok") return;
  throw new StoreError("damaged", `database disk image is malformed (${found.replaceAll(/\s+/gu, " ")})`);
}

/** The log of an open database, once all that it holds is on disk. */
function openLog(file: string, time: Pick<SteadyTime, "steadyMs">, disk: Disk | undefined): LogSync {
  const log = new LogSync(logOf(file), time, disk);
  try {
    log.rewrite();
  } catch (error) {
    log.close();
    throw error;
  }
  return log;
}
