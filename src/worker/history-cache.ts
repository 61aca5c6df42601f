import { quarterOfHeap } from "./heap-bytes.js";
import type { KnownHistory } from "./known-history.js";

/**
 * Histories by instance id, within bounds of number and of memory: the least recently used goes first. A history is
 * taken out to be used, so that a second episode of its instance finds none, and put back afterwards.
 */
export class HistoryCache {
  /** In the order of their last use. */
  readonly #histories = new Map<string, KnownHistory>();
  #weight = 0;

  constructor(
    private readonly mostHistories = MOST_HISTORIES,
    private readonly mostBytes = MOST_BYTES,
  ) {}

  get size(): number {
    return this.#histories.size;
  }

  take(instanceId: string): KnownHistory | undefined {
    const history = this.#histories.get(instanceId);
    if (history !== undefined) {
      this.#histories.delete(instanceId);
      this.#weight -= history.weight;
    }
    return history;
  }

  put(instanceId: string, history: KnownHistory): void {
    this.take(instanceId);
    this.#histories.set(instanceId, history);
    this.#weight += history.weight;
    for (const id of this.#histories.keys()) {
      if (this.#histories.size <= this.mostHistories && this.#weight <= this.mostBytes) {
        break;
      }
      this.take(id);
    }
  }
}

const MOST_HISTORIES = 20_000;
const MOST_BYTES = quarterOfHeap(256 * 1024 * 1024);
