import { SqliteCode, loadSqlite, sqliteCode } from "./sqlite.js";

/**
 * Takes a lock that the kernel frees when this process dies, however it dies: an exclusive transaction on a database
 * of its own, never ended and never written. Returns false if another process holds it.
 */
export async function takeProcessLock(file: string): Promise<boolean> {
  const { DatabaseSync } = await loadSqlite();
  const lock = new DatabaseSync(file);
  try {
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    held.add(lock);
    return true;
  } catch (error) {
    lock.close();
    if (sqliteCode(error) === SqliteCode.Busy) {
      return false;
    }
    throw error;
  }
}

/** Locks are kept from the garbage collector, which would free them. */
const held = new Set<unknown>();
