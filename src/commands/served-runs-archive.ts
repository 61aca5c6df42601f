import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Connection } from "../backend/connection-string.js";
import { takeProcessLock } from "../emulator/process/process-lock.js";
import { errorText } from "../format/error-text.js";
import { openStateFolder, RUNS_FOLDER } from "../protocol/state-folder.js";
import { RunArchive } from "../runs/run-archive.js";

export interface ArchiveOptions {
  readonly connection: Connection;
  /** Whether the server has a key: what it keeps is not for a server without one. */
  readonly withKey: boolean;
  readonly say: (line: string) => void;
}

/**
 * In the state folder, for one server of a backend and task hub at a time. Where there can be none, such as on a read-only disk,
 * runs are kept in memory only.
 */
export async function openServedRunsArchive(options: ArchiveOptions): Promise<RunArchive | undefined> {
  const { say } = options;
  try {
    const folder = join(openStateFolder().folder, RUNS_FOLDER, archiveNameOf(options));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (await takeProcessLock(join(folder, "lock"))) return new RunArchive({ folder, say });
    say(inMemory(`another server of this backend and task hub keeps its runs in '${folder}'`));
  } catch (error) {
    say(inMemory(errorText(error)));
  }
  return undefined;
}

/** The same for servers of the same backend and task hub. It tells nothing about either. */
export function archiveNameOf({ connection, withKey }: Pick<ArchiveOptions, "connection" | "withKey">): string {
  const backend = connection.kind === "emulator" ? "emulator" : connection.url.href;
  const identity = JSON.stringify([backend, connection.taskHub, withKey ? "with key" : "without key"]);
  return createHash("sha256").update(identity).digest("hex").slice(0, 16);
}

function inMemory(why: string): string {
  return `warning: runs are kept in memory only, and are forgotten when the server ends: ${why}`;
}
