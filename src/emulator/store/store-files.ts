import { statSync } from "node:fs";
import type { Stopwatch } from "../clock/system-time.js";
import { StoreError } from "./store.js";

/** What is acknowledged after its file was removed is gone: no longer than this goes by unseen. */
const CHECK_EVERY_MS = 20;

interface OpenFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** The files of an open database: a process that has them open can write to them long after they were removed. */
export class StoreFiles {
  readonly #files: readonly OpenFile[];
  readonly #clock: Stopwatch;
  #checkedMs = 0;

  constructor(paths: readonly string[], clock: Stopwatch) {
    this.#clock = clock;
    this.#files = paths.map((path) => {
      const { dev: device, ino: inode } = statSync(path);
      return { path, device, inode };
    });
  }

  /** As `check`, at most every 20 ms: for what is asked thousands of times a second. */
  checkOften(): StoreError | undefined {
    const nowMs = this.#clock.steadyMs();
    if (nowMs - this.#checkedMs < CHECK_EVERY_MS) return undefined;
    this.#checkedMs = nowMs;
    return this.check();
  }

  /** Undefined while the files are the ones at their paths. */
  check(): StoreError | undefined {
    const missing = this.#files.find(({ path, device, inode }) => {
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats?.dev !== device || stats.ino !== inode;
    });
    return (
      missing &&
      new StoreError(
        "removed",
        `The database file '${missing.path}' was removed or replaced while the emulator had it open. What was in it is ` +
          "lost, unless it was moved and is moved back. `fanout emulator reset` is for deleting what the emulator has.",
      )
    );
  }
}
