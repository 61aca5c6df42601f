import type { GroupCommit } from "./group-commit.js";
import { deletedUntilUs, type Retention } from "./retention.js";
import type { Store } from "./store.js";

/** When it looks for the first time, and how long after a look it looks again, milliseconds. */
const FIRST_LOOK_MS = 10_000;
const LOOK_EVERY_MS = 60_000;
/** What one turn does at most: so long, or so much. Then all others have the emulator for three times as long. */
const TURN_MS = 10;
const PAUSE_MS = 30;
const DELETED_IN_ONE_TURN = 500;
const RELEASED_IN_ONE_TURN = 1024 * 1024;
/** Space that is kept for what comes next, as a share of what is in use. */
const SPARE = 0.1;

export interface RetentionOptions {
  readonly store: Store;
  readonly commits: Pick<GroupCommit, "submit">;
  readonly retention: Retention;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** Milliseconds of a steady clock. */
  readonly steadyMs: () => number;
  /** Calls back once, later; returns what takes that back. */
  readonly later: (action: () => void, delayMs: number) => () => void;
}

/** A timer that keeps no process alive. */
export function laterUnref(action: () => void, delayMs: number): () => void {
  const timer = setTimeout(action, delayMs).unref();
  return () => {
    clearTimeout(timer);
  };
}

/**
 * Keeps what has ended within its retention: the first to end is deleted first, in small turns of the group commit, and
 * then the file is made smaller in the same way.
 */
export class RetentionKeeper {
  readonly #options: RetentionOptions;
  #cancel: () => void;
  #stopped = false;
  /** Instances deleted since it was made. */
  deleted = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#cancel = options.later(this.#delete, FIRST_LOOK_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  readonly #delete = (): void => {
    this.#turn(
      () => this.#deleteOldest(),
      (deleted) => {
        this.deleted += deleted;
        this.#next(deleted > 0 ? this.#delete : this.#release, PAUSE_MS);
      },
    );
  };

  readonly #release = (): void => {
    const { store } = this.#options;
    const { bytes, freeBytes } = store.space();
    const excess = freeBytes - (bytes - freeBytes) * SPARE;
    if (excess < RELEASED_IN_ONE_TURN) {
      this.#next(this.#delete, LOOK_EVERY_MS);
      return;
    }
    this.#turn(
      () => {
        store.releaseSpace(RELEASED_IN_ONE_TURN);
      },
      () => {
        if (excess < 2 * RELEASED_IN_ONE_TURN) {
          store.trim();
        }
        this.#next(this.#release, PAUSE_MS);
      },
    );
  };

  /** Deletes what is over its time, as far as one turn goes; returns how many. */
  #deleteOldest(): number {
    const { store, retention, clock, steadyMs } = this.#options;
    const { bytes, freeBytes } = store.space();
    const untilUs = deletedUntilUs(retention, clock(), bytes - freeBytes);
    const keys = untilUs === 0 ? [] : store.oldestEnded(untilUs, DELETED_IN_ONE_TURN);
    const endMs = steadyMs() + TURN_MS;
    let deleted = 0;
    while (deleted < keys.length && (deleted === 0 || steadyMs() < endMs)) {
      store.deleteInstance(keys[deleted]!);
      deleted += 1;
    }
    return deleted;
  }

  #turn<T>(apply: () => T, done: (value: T) => void): void {
    this.#options.commits.submit(apply, (error, value) => {
      if (error === undefined) {
        done(value as T);
      } else {
        // The disk is full, or the emulator stops: it is tried again, as nothing was changed.
        this.#next(this.#delete, LOOK_EVERY_MS);
      }
    });
  }

  #next(action: () => void, delayMs: number): void {
    if (!this.#stopped) {
      this.#cancel = this.#options.later(action, delayMs);
    }
  }
}
