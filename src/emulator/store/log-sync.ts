import { closeSync, fdatasync, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import type { Stopwatch } from "../clock/system-time.js";

/** Syncs that take less are made on the main thread: the way to another one and back costs about as much. */
const QUICK_MS = 1;
/** What the last sync counts for in the mean of the times. */
const WEIGHT = 0.25;
/** While syncs are slow, one in this time is made on the main thread: only there can it be told how long it takes. */
const PROBE_EVERY_MS = 1_000;
/** From this mean on none is: it would stop all else for too long. Beside such times the way to a thread is small. */
const SLOW_MS = 20;
const COPY_BYTES = 1 << 20;

export type SyncDone = (error: Error | undefined) => void;

/** The calls of the system, so that a test can be the disk. */
export interface Disk {
  readonly fdatasync: (descriptor: number, done: (error: Error | null) => void) => void;
  readonly fdatasyncSync: (descriptor: number) => void;
}

/**
 * Brings a file that somebody else writes to the disk: on the main thread where that is quick, else on a thread of
 * libuv's pool, so that the event loop goes on meanwhile. One sync at a time.
 */
export class LogSync {
  readonly #clock: Stopwatch;
  readonly #disk: Disk;
  readonly #descriptor: number;
  /** The kernel tells each descriptor of a failure once: what a sync under way is told, `syncNow` is told too. */
  readonly #lastDescriptor: number;
  #meanMs = 0;
  #probedMs: number;
  #running = false;
  #closed = false;

  constructor(file: string, clock: Stopwatch, disk: Disk = { fdatasync, fdatasyncSync }) {
    this.#clock = clock;
    this.#disk = disk;
    this.#probedMs = clock.steadyMs();
    this.#descriptor = openSync(file, "r+");
    this.#lastDescriptor = openSync(file, "r+");
  }

  /**
   * Calls back, now or later, when all that was written to the file before the call is on disk, or with the reason why
   * it may not be: then a later sync that succeeds proves nothing, as the kernel may have dropped what it could not
   * write.
   */
  sync(done: SyncDone): void {
    const nowMs = this.#clock.steadyMs();
    const isSlow = this.#meanMs >= SLOW_MS;
    if (this.#meanMs < QUICK_MS || (!isSlow && nowMs - this.#probedMs >= PROBE_EVERY_MS)) {
      this.#probedMs = nowMs;
      const error = this.#attempt(this.#descriptor);
      this.#measure(nowMs);
      done(error);
      return;
    }
    this.#running = true;
    this.#disk.fdatasync(this.#descriptor, (error) => {
      this.#running = false;
      if (isSlow) this.#measure(nowMs);
      if (this.#closed) closeSync(this.#descriptor);

      done(error ?? undefined);
    });
  }

  /** Returns when all that was written is on disk, whatever sync is under way. Throws the reason if it may not be. */
  syncNow(): void {
    const error = this.#attempt(this.#lastDescriptor);
    if (error !== undefined) throw error;
  }

  /**
   * Writes the file once more, as it is, and brings it to the disk. What a process has left that died may be in the
   * memory of the kernel alone, and is held to be on disk there if it was a sync that failed.
   */
  rewrite(): void {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    const { size } = fstatSync(this.#descriptor);
    for (let position = 0; position < size;) {
      const length = readSync(this.#descriptor, buffer, 0, Math.min(COPY_BYTES, size - position), position);
      writeSync(this.#descriptor, buffer, 0, length, position);
      position += length;
    }
    this.syncNow();
  }

  close(): void {
    this.#closed = true;
    closeSync(this.#lastDescriptor);
    // The number of a descriptor that is closed may be given to another file before the pool comes to use it.
    if (!this.#running) closeSync(this.#descriptor);
  }

  #measure(beganMs: number): void {
    this.#meanMs += WEIGHT * (this.#clock.steadyMs() - beganMs - this.#meanMs);
  }

  #attempt(descriptor: number): Error | undefined {
    try {
      this.#disk.fdatasyncSync(descriptor);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** For a log that nobody waits for: it stays in the memory of the kernel until that, or a checkpoint, writes it out. */
export const UNSYNCED: Disk = {
  fdatasync: (_descriptor, done) => {
    done(null);
  },
  fdatasyncSync: () => {},
};
