import { SqliteCode, sqliteCode } from "./sqlite.js";
import { StoreError } from "./store.js";

/** Does something with SQLite; what it throws is a `StoreError`. */
export function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw storeError(error);
  }
}

export function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) {
    return error;
  }
  const code = sqliteCode(error);
  const fault =
    code === SqliteCode.Full ? "full" : code === SqliteCode.Busy || code === SqliteCode.Locked ? "locked" : "broken";
  return new StoreError(fault, error instanceof Error ? error.message : String(error), { cause: error });
}
