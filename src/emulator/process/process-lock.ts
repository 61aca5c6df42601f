import { errorText } from "../../format/error-text.js";
import { FanoutError } from "../../errors.js";
import { SqliteCode, loadSqlite, sqliteCode } from "../store/sqlite/load.js";

/** A lock that this process holds until it disposes of it. */
export type ProcessLock = Disposable;

/** Takes a lock until the end of this process. Returns false if another process holds it. Rejects as `processLock`. */
export async function takeProcessLock(file: string): Promise<boolean> {
  return (await processLock(file)) !== undefined;
}

/**
 * Takes a lock that the kernel frees when this process dies, however it dies: an exclusive transaction on a database
 * of its own, never ended and never written. Returns undefined if another process holds it. Rejects with a FanoutError if
 * nobody can.
 */
export async function processLock(file: string): Promise<ProcessLock | undefined> {
  const { DatabaseSync } = await loadSqlite();
  let lock: InstanceType<typeof DatabaseSync> | undefined;
  try {
    lock = new DatabaseSync(file);
    lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    const taken = lock;
    held.add(taken);
    return {
      [Symbol.dispose]: () => {
        if (held.delete(taken)) taken.close();
      },
    };
  } catch (error) {
    lock?.close();
    if (sqliteCode(error) === SqliteCode.Busy) return undefined;

    const reason = errorText(error);
    throw new FanoutError("emulator-storage", `The lock '${file}' cannot be taken: ${reason}.`, {
      hint: "Check its folder and its disk.",
      cause: error,
    });
  }
}

/** Locks are kept from the garbage collector, which would free them. */
const held = new Set<unknown>();
