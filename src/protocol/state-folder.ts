import envPaths from "env-paths";
import { createHash } from "node:crypto";
import { accessSync, chmodSync, constants, existsSync, lstatSync, mkdirSync, readdirSync, type Stats } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { errorText } from "../format/error-text.js";
import { UsageError } from "../errors.js";
import { usesLoopback } from "./loopback-door.js";

const CODE = "unusable-state-folder";

/** The files of this user's shared emulator. */
export interface StateFolder {
  readonly folder: string;
  readonly database: string;
  readonly lock: string;
  readonly log: string;
  /** The Unix socket that it listens on, unless it listens on loopback. */
  readonly socket: string;
  /** The file that says where on loopback it listens, and with which token; undefined: it listens on the socket. */
  readonly loopback: string | undefined;
}

/** The name of the database file in a state folder. */
export const DATABASE_FILE = "emulator.db";

/** The folder of the runs of `fanout serve` in a state folder. */
export const RUNS_FOLDER = "served-runs";

const SOCKET = "emulator.sock";

/** The files that fanout creates in a state folder, and in the folder of its sockets. */
const STATE_FILE = /^(?:emulator\.(?:db|lock|log|sock|loopback)\b|served-runs$)/u;
const SOCKET_FILE = /^[0-9a-f]{16}\.sock$/u;

/** A longer path does not fit into a socket address: 104 bytes with the final zero on macOS, 108 on Linux. */
const MAX_SOCKET_PATH = 103;

/**
 * Creates the folder for this user alone if it is missing. Refuses a folder of somebody else. `FANOUT_STATE_DIR` moves
 * it.
 * @throws UsageError that says what is wrong with it, and what to do
 */
export function openStateFolder(env: NodeJS.ProcessEnv = process.env): StateFolder {
  const folder = path.resolve(env["FANOUT_STATE_DIR"] || envPaths("fanout", { suffix: "" }).data);
  ownFolder(folder, STATE_FILE);
  const isOnLoopback = usesLoopback(env);
  return {
    folder,
    database: path.join(folder, DATABASE_FILE),
    lock: path.join(folder, "emulator.lock"),
    log: path.join(folder, "emulator.log"),
    socket: isOnLoopback ? path.join(folder, SOCKET) : socketPath(folder, env),
    loopback: isOnLoopback ? path.join(folder, "emulator.loopback") : undefined,
  };
}

/**
 * Checks that the folder, and the database if it is needed, can be written to. SQLite would open a read-only file, and
 * report the error late and in other words.
 * @throws UsageError
 */
export function refuseUnwritable({ folder, database }: StateFolder, needsDatabase: boolean): void {
  const places = needsDatabase && existsSync(database) ? [folder, database] : [folder];
  for (const place of places) {
    try {
      accessSync(place, constants.W_OK);
    } catch (error) {
      const reason = errorText(error);
      throw new UsageError(CODE, `The emulator cannot write to '${place}': ${reason}.`, {
        hint: "Make it writable, or set FANOUT_STATE_DIR to a folder that can be written to.",
        cause: error,
      });
    }
  }
}

function socketPath(folder: string, env: NodeJS.ProcessEnv): string {
  const inFolder = path.join(folder, SOCKET);
  if (Buffer.byteLength(inFolder) <= MAX_SOCKET_PATH) return inFolder;

  const name = createHash("sha256").update(folder).digest("hex").slice(0, 16);
  const runtime = path.join(env["XDG_RUNTIME_DIR"] || tmpdir(), `fanout-${process.getuid?.() ?? ""}`);
  ownFolder(runtime, SOCKET_FILE);
  return path.join(runtime, `${name}.sock`);
}

/**
 * Makes sure that the folder exists and that nobody else can read it. A folder of ours that is open to others is closed
 * if it is empty or holds only files of fanout. Any other folder belongs to somebody, and is not changed.
 */
function ownFolder(folder: string, isOurs: RegExp): void {
  let stats: Stats;
  try {
    makeFolder(folder);
    stats = lstatSync(folder);
  } catch (error) {
    const reason = errorText(error);
    throw new UsageError(CODE, `The state folder '${folder}' cannot be made: ${reason}.`, {
      hint: "Set FANOUT_STATE_DIR to a folder that can be written to.",
    });
  }
  const uid = process.getuid?.();
  if (!stats.isDirectory() || (uid !== undefined && stats.uid !== uid)) {
    throw new UsageError(CODE, `The state folder '${folder}' is not a folder of this user.`, {
      hint: "Set FANOUT_STATE_DIR to one that is.",
    });
  }
  if (uid !== undefined && (stats.mode & 0o077) !== 0) closeToOthers(folder, stats.mode, isOurs);
}

/** A folder that others can write to may hold their socket, log or database, so it is accepted only if it is empty. */
function closeToOthers(folder: string, mode: number, isOurs: RegExp): void {
  const names = readdirSync(folder);
  if (names.length > 0 && !names.some((name) => isOurs.test(name))) {
    throw new UsageError(
      CODE,
      `The folder '${folder}' holds other files, and others can open it (mode ${(mode & 0o7777).toString(8)}); the ` +
        "state folder has to be for this user alone. It was left as it is.",
      {
        hint: `Set FANOUT_STATE_DIR to a folder of its own, such as '${path.join(folder, "fanout-state")}'.`,
      },
    );
  }
  if ((mode & 0o022) !== 0 && names.length > 0) {
    throw new UsageError(CODE, `Others can write to the state folder '${folder}', and it is not empty.`, {
      hint:
        `If all that is in it is yours, close it with \`chmod 700 ${folder}\`, or set FANOUT_STATE_DIR to another ` +
        "folder.",
    });
  }
  chmodSync(folder, 0o700);
}

/** By hand: Node's own recursion never ends in a folder that exists and accepts nothing, such as /proc. */
function makeFolder(folder: string): void {
  if (!makeOne(folder)) {
    makeFolder(path.dirname(folder));
    if (!makeOne(folder)) throw new Error(`${path.dirname(folder)} takes no new folder`);
  }
}

/** Returns false if the parent is missing. An existing folder is as good, whoever created it. */
function makeOne(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return false;

    if (code !== "EEXIST") throw error;
  }
  return true;
}
