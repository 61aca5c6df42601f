import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** What SQLite finds wrong with an emulator's database that nobody has open: `["ok"]` if nothing. */
export function integrityOf(stateFolder: string): readonly unknown[] {
  const database = new DatabaseSync(join(stateFolder, "emulator.db"), { readOnly: true });
  try {
    return database
      .prepare("PRAGMA integrity_check")
      .all()
      .map((row) => row["integrity_check"]);
  } finally {
    database.close();
  }
}
