import { rmSync, statSync } from "node:fs";
import { errorText } from "../../format/error-text.js";
import { InvariantError } from "../../invariant.js";
import { FanoutError, UsageError } from "../../errors.js";
import type { Durability } from "../../protocol/durability.js";
import { MACHINE_TIME } from "../clock/machine-time.js";
import type { Cancel } from "../clock/system-time.js";
import { UNSYNCED } from "../store/log-sync.js";
import { Emulator, type EmulatorOptions } from "./emulator.js";
import { takeProcessLock } from "./process-lock.js";
import type { Retention } from "../hub/retention.js";
import type { LimitsMode } from "../limits/scheduler-limits.js";
import { openSqliteStore } from "../store/sqlite/store.js";
import { refuseUnwritable, type StateFolder } from "../../protocol/state-folder.js";
import { newToken, writeLoopbackDoor } from "../../protocol/loopback-door.js";
import { StoreError, isGone } from "../store/store.js";

export interface EmulatorRun {
  readonly emulator: Emulator;
  /**
   * Resolves once it has stopped, whoever asked for it. Rejects with a FanoutError if it had to, because what it wrote
   * could not be brought to the disk: then the process has to end by `process.exit`, which leaves the database as it is.
   */
  readonly stopped: Promise<void>;
  readonly stop: () => void;
  /** Something went wrong that memory may not be trusted after: it answers nothing more, and `stopped` rejects. */
  readonly lose: (error: Error) => void;
}

export interface RunOptions {
  readonly state: StateFolder;
  readonly version: string;
  /** A port to listen on as well. */
  readonly port: number | undefined;
  /** The address that the port is of, an address of this machine; undefined: 127.0.0.1. */
  readonly host?: string | undefined;
  /** Undefined: any that is named. */
  readonly taskHubs?: readonly string[] | undefined;
  /** Undefined: `disk`. Of `ephemeral` the database of the folder is not opened. */
  readonly durability?: Durability | undefined;
  /** It leaves by itself once no connection has been open for so long; undefined means never. */
  readonly idleMs: number | undefined;
  /** Undefined keeps everything. */
  readonly retention?: Retention | undefined;
  /** What is done about what a Scheduler would not take; undefined: it is taken, which `onNotice` is told once. */
  readonly limits?: LimitsMode | undefined;
  readonly onNotice?: ((line: string) => void) | undefined;
  /** In place of `HoldPolicy.maxMs`; 0 dispatches every episode at once. */
  readonly mostHoldMs?: number | undefined;
}

/**
 * Runs the emulator of a state folder in this process. Returns undefined if another process runs it. Rejects with a
 * FanoutError if the database cannot be opened or the port is taken, and with what Node says where it cannot listen
 * there for another reason.
 */
export async function runEmulator(options: RunOptions): Promise<EmulatorRun | undefined> {
  const { state, version, port, host, idleMs, durability = "disk" } = options;
  refuseUnwritable(state, durability !== "ephemeral");
  if (!(await takeProcessLock(state.lock))) return undefined;

  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  let lost: Error | undefined;
  const idle = idleTimer(idleMs, () => {
    stop();
  });
  const emulator = await openEmulator(state.database, durability, {
    version,
    folder: state.folder,
    durability,
    taskHubs: options.taskHubs,
    mostHoldMs: options.mostHoldMs,
    retention: options.retention,
    limits: options.limits,
    onNotice: options.onNotice ?? (() => {}),
    onStop: () => setImmediate(stop),
    onLost: (error) => {
      lost = error;
      setImmediate(stop);
    },
    onConnections: idle.connections,
  });
  let stopping = false;
  const door = state.loopback ?? state.socket;
  let doorInode: number | undefined;
  const stop = (): void => {
    if (stopping) {
      // A second Ctrl-C, or the idle time of the connections that the first one has closed.
      return;
    }
    stopping = true;
    idle.cancel();
    if (lost instanceof InvariantError) {
      // What is on disk is whole, and what is in memory is not fit to close it.
      reject(lostError(state.database, lost));
      return;
    }
    if (lost !== undefined && doorInode !== inodeOf(door)) {
      // The folder was removed, and what is there is the next emulator's: to close ours would remove it by its path.
      reject(lostError(state.database, lost));
      return;
    }
    // The door goes first: whoever comes now starts the next emulator instead of meeting one that leaves.
    removeDoor(door);
    emulator.close();
    if (lost === undefined) resolve();
    else reject(lostError(state.database, lost));
  };
  try {
    if (port !== undefined) await listenOn(emulator, port, host);

    // The lock is ours, so a door that is there belongs to an emulator that has died.
    rmSync(door, { force: true });
    if (state.loopback === undefined) await listenAt(emulator, state.socket);
    else await listenOnLoopback(emulator, state.loopback);
  } catch (error) {
    emulator.close();
    throw error;
  }
  doorInode = inodeOf(door);
  idle.connections(0);
  const lose = (error: Error): void => {
    emulator.lose(error);
  };
  return { emulator, stopped, stop, lose };
}

/** On Windows a program that reads the file keeps it. The next emulator removes it. */
function removeDoor(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    if (process.platform !== "win32") throw error;
  }
}

function inodeOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.ino;
}

/** It reads what is in flight, so that a database that is broken in its midst is found here too. */
async function openEmulator(
  database: string,
  durability: Durability,
  options: Omit<EmulatorOptions, "store">,
): Promise<Emulator> {
  const file = durability === "ephemeral" ? ":memory:" : database;
  const disk = durability === "process" ? UNSYNCED : undefined;
  let emulator: Emulator | undefined;
  try {
    const store = await openSqliteStore(file, { disk, onDamaged: (error) => emulator?.lose(error) });
    emulator = new Emulator({ ...options, store });
    return emulator;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;

    if (isGone(error)) throw new FanoutError("emulator-storage", error.message, { cause: error });
    throw new FanoutError("emulator-storage", `The database '${database}' cannot be used: ${error.message}.`, {
      hint: remedyOf(error),
      cause: error,
    });
  }
}

/** Nobody is told to delete what is whole. */
function remedyOf({ fault }: StoreError): string {
  if (fault === "newer") return "Update fanout, or delete the database with `fanout emulator reset`.";

  if (fault === "full") return "Make room on its disk. What it holds was not changed.";

  return fault === "locked" ? "Another program has it open, and has to close it first." : "Check its disk.";
}

function lostError(database: string, cause: Error): FanoutError {
  if (isGone(cause)) return new FanoutError("emulator-storage", `${cause.message} The emulator stopped.`, { cause });
  if (cause instanceof InvariantError) {
    return new FanoutError(
      "internal-error",
      `The emulator found a defect of its own: this does not hold: ${cause.message} It stopped. The next start goes on ` +
        `from the database '${database}', which has all that was acknowledged.`,
      { hint: `Please report this with the lines that follow.\n${cause.stack ?? ""}`, cause },
    );
  }
  return new FanoutError(
    "emulator-storage",
    `The database '${database}' could not be brought to the disk: ${cause.message}. The emulator stopped.`,
    {
      hint: "Check the disk; the next start goes on from what is on it, which is all that was acknowledged.",
      cause,
    },
  );
}

async function listenOn(emulator: Emulator, port: number, host: string | undefined): Promise<void> {
  try {
    await emulator.listen({ port, ...(host !== undefined && { host }) });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new UsageError("unavailable-address", `Port ${port} is taken by another program.`, {
        hint: "Choose another one with --port.",
        cause: error,
      });
    }
    throw error;
  }
}

async function listenAt(emulator: Emulator, socket: string): Promise<void> {
  try {
    await emulator.listen({ path: socket });
  } catch (error) {
    const reason = errorText(error);
    throw new FanoutError("emulator-storage", `The socket '${socket}' cannot be made: ${reason}.`, {
      hint: "Check the disk that it is on.",
      cause: error,
    });
  }
}

async function listenOnLoopback(emulator: Emulator, file: string): Promise<void> {
  const token = newToken();
  const port = await emulator.listen({ token });
  try {
    writeLoopbackDoor(file, { port: port!, token });
  } catch (error) {
    throw new FanoutError("emulator-storage", `The file '${file}' cannot be made: ${errorText(error)}.`, {
      hint: "Check the disk that it is on.",
      cause: error,
    });
  }
}

interface IdleTimer {
  readonly connections: (open: number) => void;
  readonly cancel: () => void;
}

function idleTimer(idleMs: number | undefined, leave: () => void): IdleTimer {
  let cancelTimer: Cancel | undefined;
  const cancel = (): void => {
    cancelTimer?.();
  };
  return {
    cancel,
    connections(open) {
      cancel();
      if (open === 0 && idleMs !== undefined) cancelTimer = MACHINE_TIME.after(idleMs, leave);
    },
  };
}
