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
    if (this.#counters.size > 0) this.#uncommitted.push(instanceId);
  }

  /** Ends the turn; returns what counts it. A counter that is added later has begun with it. */
  commit(): () => void {
    const ids = this.#uncommitted;
    const counters = ids.length === 0 ? [] : [...this.#counters];
    this.#uncommitted = [];
    return () => {
      for (const counter of counters)
        counter.count += ids.filter((id) => id.startsWith(counter.instanceIdPrefix)).length;
    };
  }

  rollback(): void {
    this.#uncommitted = [];
  }
}
