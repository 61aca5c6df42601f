import { existsSync, realpathSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { MACHINE_TIME } from "../../clock/machine-time.js";
import type { Stopwatch } from "../../clock/system-time.js";
import { LogSync, type Disk } from "../log-sync.js";
import { StoreError } from "../store.js";
import { StoreFiles } from "../store-files.js";
import { damageOf, guarded, storeError } from "./error.js";
import { loadSqlite } from "./load.js";
import { prepareSchema, schemaVersion } from "./schema.js";

/** The log grows to so many pages of 4 KiB before it is written to the database, which holds up the event loop. */
const CHECKPOINT_PAGES = 4_000;
/** What the log keeps of its size behind a checkpoint: twice what it has then. */
const MOST_LOG_BYTES = 32 * 1024 * 1024;

/** A file that was not closed is checked page by page: about a second. A larger one takes too long for a start. */
const MOST_CHECKED_BYTES = 512 * 1024 * 1024;

export interface DatabaseOptions {
  /** Undefined: that of this machine. */
  readonly time?: Stopwatch | undefined;
  /** In place of the system's calls. */
  readonly disk?: Disk | undefined;
}

/** A database with its tables. */
export interface OpenDatabase {
  readonly db: DatabaseSync;
  /** What COMMIT leaves in the memory of the kernel is brought to the disk by this; undefined for one in memory. */
  readonly log: LogSync | undefined;
  /** As `log`. */
  readonly files: StoreFiles | undefined;
}

/**
 * Opens the file, or a private database in memory for `:memory:`. Throws `StoreError` if the file is locked by another
 * process, was written by a newer version, is damaged, or is no database.
 */
export async function openDatabase(file: string, options: DatabaseOptions): Promise<OpenDatabase> {
  const { DatabaseSync } = await loadSqlite();
  const wasClosed = file === ":memory:" || sizeOf(logOf(file)) === 0;
  try {
    return guarded(() => prepared(new DatabaseSync(file), file, wasClosed, options));
  } catch (error) {
    throw error instanceof StoreError && error.fault === "damaged" ? damageOf(file, error) : error;
  }
}

function prepared(db: DatabaseSync, file: string, wasClosed: boolean, options: DatabaseOptions): OpenDatabase {
  const { time = MACHINE_TIME, disk } = options;
  try {
    // On macOS only this makes a sync reach the disk, as Node's own does there. Elsewhere it changes nothing.
    db.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
    // The lock is held for the life of the process, so the WAL index can stay in its memory.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    // In front of what writes to the file.
    schemaVersion(db);
    if (!wasClosed && sizeOf(file) <= MOST_CHECKED_BYTES) checkPages(db);
    db.exec("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536");
    prepareSchema(db);
    const log = file === ":memory:" ? undefined : openLog(file, time, disk);
    const files = file === ":memory:" ? undefined : new StoreFiles([file, logOf(file)], time);
    leaveSyncsToLog(db);
    return { db, log, files };
  } catch (error) {
    // To close it is to write what is in the log to the database, and a damaged one is for a person to look at.
    if (storeError(error).fault === "damaged") leftOpen.add(db);
    else db.close();
    throw error;
  }
}

/**
 * From here on COMMIT leaves the log in the memory of the kernel. A checkpoint still syncs the log in front of what it
 * writes and the database behind it, and a log that begins anew its header.
 */
function leaveSyncsToLog(db: DatabaseSync): void {
  db.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // One transaction may make it larger: then it is cut when it begins anew.
  db.exec(`PRAGMA journal_size_limit = ${MOST_LOG_BYTES}`);
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
function openLog(file: string, time: Stopwatch, disk: Disk | undefined): LogSync {
  const log = new LogSync(logOf(file), time, disk);
  try {
    log.rewrite();
  } catch (error) {
    log.close();
    throw error;
  }
  return log;
}
