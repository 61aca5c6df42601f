import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Rows that no database may have, by what is wrong with them. */
const MISFITS: Readonly<Record<string, string>> = {
  "events of an instance that there is none of": `SELECT key FROM history WHERE key NOT IN (SELECT key FROM instances)
    UNION ALL SELECT key FROM waiting WHERE key NOT IN (SELECT key FROM instances)`,
  "events that wait for an instance that has ended": `SELECT key FROM waiting JOIN instances USING (key)
    WHERE completed_us > 0`,
  "a total that is not the count": "SELECT 1 FROM totals WHERE instances <> (SELECT count(*) FROM instances)",
};

/** What is wrong with the database of an emulator that has ended, in whatever way. */
export function storeFaults(folder: string): string[] {
  const database = new DatabaseSync(join(folder, "emulator.db"));
  try {
    const integrity = database.prepare("PRAGMA integrity_check").all();
    const faults = integrity.map((row) => String(row["integrity_check"])).filter((line) => line !== "ok");
    for (const [what, sql] of Object.entries(MISFITS)) {
      const found = database.prepare(sql).all().length;
      if (found > 0) faults.push(`${found} times ${what}`);
    }
    return faults.map((fault) => `the database: ${fault}`);
  } finally {
    database.close();
  }
}
