export interface Wait {
  readonly isDone: () => boolean;
  /** While it returns true, the wait continues without progress. */
  readonly isBusy?: () => boolean;
  readonly patienceMs: number;
}

/** Waits while there is progress, instead of a fixed time that a slow machine would miss. */
export class ProgressWatch {
  readonly #waits = new Set<() => void>();

  /** Reports progress. */
  progress(): void {
    for (const look of this.#waits) look();
  }

  /** Resolves with true when it is done, and with false after `patienceMs` without progress. */
  until({ isDone, isBusy = () => false, patienceMs }: Wait): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (done: boolean): void => {
        clearTimeout(timer);
        this.#waits.delete(look);
        resolve(done);
      };
      const timer = setTimeout(() => (isBusy() ? timer.refresh() : finish(false)), patienceMs);
      const look = (): void => void (isDone() ? finish(true) : timer.refresh());
      this.#waits.add(look);
      look();
    });
  }
}
