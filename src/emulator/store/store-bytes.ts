import { statSync } from "node:fs";
import path from "node:path";
import { DATABASE_FILE } from "../../protocol/state-folder.js";

/** The database, and its write-ahead log, which holds what was committed since the last checkpoint. */
const FILES = [DATABASE_FILE, `${DATABASE_FILE}-wal`];

/** Bytes that the store of a state folder takes on disk; a file that is not there counts as none. */
export function storeBytes(folder: string): number {
  return FILES.reduce(
    (sum, name) => sum + (statSync(path.join(folder, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}
