import { rmSync } from "node:fs";
import { FanoutError } from "../errors.js";
import { Emulator } from "./emulator.js";
import { takeProcessLock } from "./process-lock.js";
import type { Retention } from "./retention.js";
import { openSqliteStore } from "./sqlite-store.js";
import type { StateFolder } from "./state-folder.js";
import { StoreError, type Store } from "./store.js";

export interface EmulatorRun {
  readonly emulator: Emulator;
  /**
   * Resolves once it has stopped, whoever asked for it. Rejects with a FanoutError if it had to, because what it wrote
   * could not be brought to the disk: then the process has to end by `process.exit`, which leaves the database as it is.
   */
  readonly stopped: Promise<void>;
  readonly stop: () => void;
}

export interface RunOptions {
  readonly state: StateFolder;
  readonly version: string;
  /** A port of the loopback interface to listen on as well. */
  readonly port: number | undefined;
  /** It leaves by itself once no connection has been open for so long; undefined means never. */
  readonly idleMs: number | undefined;
  /** Undefined keeps everything. */
  readonly retention?: Retention | undefined;
  /** In place of `HoldPolicy.maxMs`; 0 dispatches every episode at once. */
  readonly mostHoldMs?: number | undefined;
}

/**
 * Runs the emulator of a state folder in this process. Returns undefined if another process runs it. Rejects with a
 * FanoutError if the database cannot be opened or the port is taken.
 */
export async function runEmulator(options: RunOptions): Promise<EmulatorRun | undefined> {
  const { state, version, port, idleMs, retention, mostHoldMs } = options;
  if (!(await takeProcessLock(state.lock))) {
    return undefined;
  }
  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  let lost: Error | undefined;
  const idle = idleTimer(idleMs, () => {
    stop();
  });
  const store = await openStore(state.database);
  const emulator = new Emulator({
    store,
    version,
    folder: state.folder,
    mostHoldMs,
    retention,
    onStop: () => setImmediate(stop),
    onLost: (error) => {
      lost = error;
      setImmediate(stop);
    },
    onConnections: idle.connections,
  });
  let stopping = false;
  const stop = (): void => {
    if (stopping) {
      // A second Ctrl-C, or the idle time of the connections that the first one has closed.
      return;
    }
    stopping = true;
    idle.cancel();
    // The socket goes first: whoever comes now starts the next emulator instead of meeting one that leaves.
    rmSync(state.socket, { force: true });
    emulator.close();
    if (lost === undefined) {
      resolve();
    } else {
      reject(lostError(state.database, lost));
    }
  };
  if (port !== undefined) {
    await listenOn(emulator, port);
  }
  // The lock is ours, so a socket that is there belongs to an emulator that has died.
  rmSync(state.socket, { force: true });
  await emulator.listen({ path: state.socket });
  idle.connections(0);
  return { emulator, stopped, stop };
}

async function openStore(database: string): Promise<Store> {
  try {
    return await openSqliteStore(database);
  } catch (error) {
    if (!(error instanceof StoreError)) {
      throw error;
    }
    const remedy =
      error.fault === "newer"
        ? "Update fanout, or delete the database with `fanout emulator reset`"
        : "`fanout emulator reset` deletes it";
    throw new FanoutError(`The database '${database}' cannot be used: ${error.message}. ${remedy}.`, 1, {
      cause: error,
    });
  }
}

function lostError(database: string, cause: Error): FanoutError {
  return new FanoutError(
    `The database '${database}' could not be brought to the disk: ${cause.message}. The emulator stopped. Check the ` +
      "disk; the next start goes on from what is on it, which is all that was acknowledged.",
    1,
    { cause },
  );
}

async function listenOn(emulator: Emulator, port: number): Promise<void> {
  try {
    await emulator.listen({ port });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new FanoutError(`Port ${port} is taken by another program. Choose another one with --port.`, 1, {
        cause: error,
      });
    }
    throw error;
  }
}

interface IdleTimer {
  readonly connections: (open: number) => void;
  readonly cancel: () => void;
}

function idleTimer(idleMs: number | undefined, leave: () => void): IdleTimer {
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    clearTimeout(timer);
  };
  return {
    cancel,
    connections(open) {
      cancel();
      if (open === 0 && idleMs !== undefined) {
        timer = setTimeout(leave, idleMs);
      }
    },
  };
}
