import type { Clock } from "../clock/clock.js";
import type { Cancel } from "../clock/system-time.js";
import type { GroupCommit } from "../store/group-commit.js";
import { deletedUntilUs, isOfRun, type Retention } from "./retention.js";
import { StoreError, isGone, type EndedPlace, type Store } from "../store/store.js";

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

const BEGINNING: EndedPlace = { completedUs: 0, key: 0 };

export interface RetentionOptions {
  readonly store: Store;
  readonly commits: Pick<GroupCommit, "submit">;
  readonly retention: Retention;
  readonly clock: Pick<Clock, "nowUs" | "steadyMs" | "after">;
}

/**
 * Keeps what has ended within its retention: the first to end is deleted first, in small turns of the group commit, and
 * then the file is made smaller in the same way.
 */
export class RetentionKeeper {
  readonly #options: RetentionOptions;
  #cancel: Cancel;
  #stopped = false;
  /** Behind what has been looked at for runs: what ends later stands behind it. */
  #runsPlace = BEGINNING;
  /** Instances deleted since it was made. */
  deleted = 0;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#cancel = options.clock.after(FIRST_LOOK_MS, this.#delete);
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
        const next = this.#options.retention.runAgeMs === undefined ? this.#release : this.#deleteOldRuns;
        this.#next(deleted > 0 ? this.#delete : next, PAUSE_MS);
      },
    );
  };

  readonly #deleteOldRuns = (): void => {
    this.#turn(
      () => this.#deleteRuns(),
      ({ deleted, place, isOver }) => {
        this.deleted += deleted;
        this.#runsPlace = place;
        this.#next(isOver ? this.#release : this.#deleteOldRuns, PAUSE_MS);
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
        const isTrimmed = excess >= 2 * RELEASED_IN_ONE_TURN || this.#trim();
        // The disk is full, or fails: what is left is for later.
        if (isTrimmed) this.#next(this.#release, PAUSE_MS);
        else this.#next(this.#delete, LOOK_EVERY_MS);
      },
    );
  };

  /** False if the store cannot at present. It runs behind the answers of others, so that it throws only what ends them all. */
  #trim(): boolean {
    try {
      this.#options.store.trim();
      return true;
    } catch (error) {
      if (!(error instanceof StoreError) || isGone(error)) throw error;

      return false;
    }
  }

  /** Deletes what is over its time, as far as one turn goes; returns how many. */
  #deleteOldest(): number {
    const { store, retention, clock } = this.#options;
    const { bytes, freeBytes } = store.space();
    const untilUs = deletedUntilUs(retention, clock.nowUs(), bytes - freeBytes);
    const keys = untilUs === 0 ? [] : store.oldestEnded(untilUs, DELETED_IN_ONE_TURN);
    const endMs = clock.steadyMs() + TURN_MS;
    let deleted = 0;
    while (deleted < keys.length && (deleted === 0 || clock.steadyMs() < endMs)) {
      store.deleteInstance(keys[deleted]!);
      deleted += 1;
    }
    return deleted;
  }

  /** Looks for runs over their time among what has ended, as far as one turn goes. */
  #deleteRuns(): { readonly deleted: number; readonly place: EndedPlace; readonly isOver: boolean } {
    const { store, retention, clock } = this.#options;
    const { runAgeMs = Number.POSITIVE_INFINITY } = retention;
    const nowUs = clock.nowUs();
    // The clock was set back: what ends now stands in front of it.
    let place = nowUs < this.#runsPlace.completedUs ? BEGINNING : this.#runsPlace;
    const untilUs = Math.max(0, nowUs - runAgeMs * 1_000);
    const ended = store.endedAfter(place, untilUs, DELETED_IN_ONE_TURN);
    const endMs = clock.steadyMs() + TURN_MS;
    let deleted = 0;
    for (const [index, instance] of ended.entries()) {
      if (index > 0 && clock.steadyMs() >= endMs) return { deleted, place, isOver: false };
      place = instance;
      if (!isOfRun(instance.instanceId)) continue;
      store.deleteInstance(instance.key);
      deleted += 1;
    }
    return { deleted, place, isOver: ended.length < DELETED_IN_ONE_TURN };
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
    if (!this.#stopped) this.#cancel = this.#options.clock.after(delayMs, action);
  }
}
