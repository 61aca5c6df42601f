import { errorText } from "../../format/error-text.js";
import { FanoutError } from "../../errors.js";
import { SqliteCode, loadSqlite, sqliteCode } from "../store/sqlite/load.js";

/**
 * Takes a lock that the kernel frees when this process dies, however it dies: an exclusive transaction on a database
 * of its own, never ended and never written. Returns false if another process holds it. Rejects with a FanoutError if
 * nobody can.
 */
export async function takeProcessLock(file: string): Promise<boolean> {
  const { DatabaseSync } = await loadSqlite();
  let lock: InstanceType<typeof DatabaseSync> | undefined;
  try {
    lock = new DatabaseSync(file);
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    held.add(lock);
    return true;
  } catch (error) {
    lock?.close();
    if (sqliteCode(error) === SqliteCode.Busy) return false;

    const reason = errorText(error);
    throw new FanoutError("emulator-storage", `The lock '${file}' cannot be taken: ${reason}.`, {
      hint: "Check its folder and its disk.",
      cause: error,
    });
  }
}

/** Locks are kept from the garbage collector, which would free them. */
const held = new Set<unknown>();
