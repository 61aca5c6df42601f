import { errorText } from "../../../format/error-text.js";
import { SqliteCode, sqliteCode } from "./load.js";
import { StoreError, type StoreFault } from "../store.js";

/** Does something with SQLite; what it throws is a `StoreError`. */
export function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw storeError(error);
  }
}

export function storeError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;

  const code = sqliteCode(error);
  const fault = (code !== undefined && FAULTS[code]) || "broken";
  return new StoreError(fault, errorText(error), { cause: error });
}

const FAULTS: Readonly<Record<number, StoreFault>> = {
  [SqliteCode.Full]: "full",
  [SqliteCode.Busy]: "locked",
  [SqliteCode.Locked]: "locked",
  [SqliteCode.Corrupt]: "damaged",
  [SqliteCode.NotADatabase]: "damaged",
};

/** The same error for a person, who has to know which file it is and what can be done. */
export function damageOf(file: string, { message }: Error): StoreError {
  return new StoreError(
    "damaged",
    `The database '${file}' is damaged, or no database of fanout: ${message}. Nothing was changed. ` +
      "`fanout emulator reset` deletes it; to keep what can be saved of it, move it and its -wal away first.",
  );
}
