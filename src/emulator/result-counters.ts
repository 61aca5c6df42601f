/** Counts results of activities of the instances whose ids start so. */
export interface ResultCounter {
  readonly instanceIdPrefix: string;
  count: number;
}

/** The counters that somebody watches. */
export class ResultCounters {
  readonly #counters = new Set<ResultCounter>();
  #uncommitted: string[] = [];

  add(counter: ResultCounter): () => void {
    this.#counters.add(counter);
    return () => this.#counters.delete(counter);
  }

  /** A result of that instance is part of this turn's transaction. */
  record(instanceId: string): void {
    if (this.#counters.size > 0) {
      this.#uncommitted.push(instanceId);
    }
  }

  commit(): void {
    for (const id of this.#uncommitted) {
      for (const counter of this.#counters) {
        counter.count += id.startsWith(counter.instanceIdPrefix) ? 1 : 0;
      }
    }
    this.#uncommitted = [];
  }

  rollback(): void {
    this.#uncommitted = [];
  }
}
