import { rmSync } from "node:fs";
import { FanoutError } from "../errors.js";
import { Emulator } from "./emulator.js";
import { takeProcessLock } from "./process-lock.js";
import { openSqliteStore } from "./sqlite-store.js";
import type { StateFolder } from "./state-folder.js";
import { StoreError, type Store } from "./store.js";

export interface EmulatorRun {
  readonly emulator: Emulator;
  /** Resolves once it has stopped, whoever asked for it. */
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
}

/**
 * Runs the emulator of a state folder in this process. Returns undefined if another process runs it. Rejects with a
 * FanoutError if the database cannot be opened or the port is taken.
 */
export async function runEmulator({ state, version, port, idleMs }: RunOptions): Promise<EmulatorRun | undefined> {
  if (!(await takeProcessLock(state.lock))) {
    return undefined;
  }
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const idle = idleTimer(idleMs, () => {
    stop();
  });
  const store = await openStore(state.database);
  const emulator = new Emulator({
    store,
    version,
    folder: state.folder,
    onStop: () => setImmediate(stop),
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
    resolve();
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
