export interface Wait {
  readonly isDone: () => boolean;
  /** While it holds, the wait goes on however quiet it is. */
  readonly isBusy?: () => boolean;
  readonly patienceMs: number;
}

/** Waits for something for as long as there is progress, rather than until a time that a slow machine would miss. */
export class ProgressWatch {
  #onProgress: (() => void) | undefined;

  /** Something moved. */
  progress(): void {
    this.#onProgress?.();
  }

  /** Resolves with true when it is done, with false after `patienceMs` without progress. One wait at a time. */
  until({ isDone, isBusy = () => false, patienceMs }: Wait): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (done: boolean): void => {
        clearTimeout(timer);
        this.#onProgress = undefined;
        resolve(done);
      };
      const timer = setTimeout(() => (isBusy() ? timer.refresh() : finish(false)), patienceMs);
      this.#onProgress = () => (isDone() ? finish(true) : timer.refresh());
      this.progress();
    });
  }
}
