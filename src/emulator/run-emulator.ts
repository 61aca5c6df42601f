import { rmSync } from "node:fs";
import { Emulator } from "./emulator.js";
import { takeProcessLock } from "./process-lock.js";
import { openSqliteStore } from "./sqlite-store.js";
import type { StateFolder } from "./state-folder.js";

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
 * StoreError if the database cannot be opened, or with the error of a port that is taken (`EADDRINUSE`).
 */
export async function runEmulator({ state, version, port, idleMs }: RunOptions): Promise<EmulatorRun | undefined> {
  if (!(await takeProcessLock(state.lock))) {
    return undefined;
  }
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const idle = idleTimer(idleMs, () => {
    stop();
  });
  const store = await openSqliteStore(state.database);
  const emulator = new Emulator({
    store,
    version,
    folder: state.folder,
    onStop: () => setImmediate(stop),
    onConnections: idle.connections,
  });
  const stop = (): void => {
    idle.cancel();
    // The socket goes first: whoever comes now starts the next emulator instead of meeting one that leaves.
    rmSync(state.socket, { force: true });
    emulator.close();
    resolve();
  };
  if (port !== undefined) {
    await emulator.listen({ port });
  }
  // The lock is ours, so a socket that is there belongs to an emulator that has died.
  rmSync(state.socket, { force: true });
  await emulator.listen({ path: state.socket });
  idle.connections(0);
  return { emulator, stopped, stop };
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
