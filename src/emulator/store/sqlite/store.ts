import type { DatabaseSync } from "node:sqlite";
import type { LogSync, SyncDone } from "../log-sync.js";
import { readActive, readActiveOne } from "./active.js";
import { damageOf } from "./error.js";
import { InstanceReader } from "./instance-reader.js";
import { InstanceWriter } from "./instance-writer.js";
import { openDatabase, type DatabaseOptions, type OpenDatabase } from "./open-database.js";
import { Statements } from "./statements.js";
import type { StoreFiles } from "../store-files.js";
import type {
  ActiveInstance,
  CompletedFilter,
  CompletedPlace,
  DetachedTask,
  EndedFilter,
  EndedInstance,
  EndedPlace,
  EpisodeResult,
  InstanceRow,
  NewInstance,
  NextExecution,
  Page,
  Rewound,
  RowFilter,
  ScheduledTask,
  Store,
  StoreError,
  StoreSpace,
  WaitingEvent,
} from "../store.js";

export interface SqliteStoreOptions extends DatabaseOptions {
  /** Told, before the call that found it throws, that the file is damaged: nothing is written to it any more. */
  readonly onDamaged?: (error: StoreError) => void;
}

/** Opens a store on a file, or in memory for `:memory:`. Throws what `openDatabase` throws. */
export async function openSqliteStore(file: string, options: SqliteStoreOptions = {}): Promise<Store> {
  return new SqliteStore(await openDatabase(file, options), (error) => {
    const damage = damageOf(file, error);
    options.onDamaged?.(damage);
    return damage;
  });
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync;
  readonly #statements: Statements;
  readonly #writer: InstanceWriter;
  readonly #reader: InstanceReader;
  readonly #log: LogSync | undefined;
  readonly #files: StoreFiles | undefined;
  #lost = false;

  /** `damaged` is told that the file is damaged, and returns the error to throw. */
  constructor({ db, log, files }: OpenDatabase, damaged: (error: StoreError) => StoreError) {
    this.#db = db;
    this.#log = log;
    this.#files = files;
    this.#statements = new Statements(db, (error) => {
      if (error.fault !== "damaged") return error;
      this.#lost = true;
      return damaged(error);
    });
    this.#writer = new InstanceWriter(this.#statements);
    this.#reader = new InstanceReader(this.#statements);
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
    const key = this.#writer.insert(instance);
    if (key !== undefined) this.#count(1);

    return key;
  }

  appendWaiting(key: number, waiting: WaitingEvent): void {
    this.#writer.appendWaiting(key, waiting);
  }

  applyEpisode(key: number, result: EpisodeResult): void {
    this.#writer.applyEpisode(key, result);
  }

  restart(key: number, next: NextExecution): void {
    this.#writer.restart(key, next);
  }

  setStatus(key: number, status: number, updatedUs: number): void {
    this.#writer.setStatus(key, status, updatedUs);
  }

  reopen(key: number, updatedUs: number): void {
    this.#writer.reopen(key, updatedUs);
  }

  rewind(key: number, rewound: Rewound): void {
    this.#writer.rewind(key, rewound);
  }

  deleteInstance(key: number): void {
    if (this.#writer.delete(key)) this.#count(-1);
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
    return this.#reader.find(taskHub, instanceId, payloads);
  }

  query(filter: RowFilter): Page<string> {
    return this.#reader.query(filter);
  }

  listCompleted(filter: CompletedFilter): Page<CompletedPlace> {
    return this.#reader.listCompleted(filter);
  }

  childrenOf(taskHub: string, instanceId: string): InstanceRow[] {
    return this.#reader.childrenOf(taskHub, instanceId);
  }

  history(key: number): Uint8Array[] {
    return this.#reader.history(key);
  }

  waiting(key: number): Uint8Array[] {
    return this.#reader.waiting(key);
  }

  active(): Iterable<ActiveInstance> {
    return readActive(this.#statements);
  }

  activeOne(key: number): ActiveInstance {
    return readActiveOne(this.#statements, key);
  }

  resultsOfEnded(filter: EndedFilter): { sum: number; next: string | undefined } {
    return this.#reader.resultsOfEnded(filter);
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
    return this.#reader.oldestEnded(completedToUs, limit);
  }

  endedAfter(place: EndedPlace, completedToUs: number, limit: number): EndedInstance[] {
    return this.#reader.endedAfter(place, completedToUs, limit);
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

  #count(change: number): void {
    this.#statements.run("UPDATE totals SET instances = instances + ?", change);
  }
}
