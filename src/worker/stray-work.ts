import { wait } from "./backoff.js";

/** Work that a backend sends although this worker does not host it: somebody else's. */
export interface StrayItem {
  readonly kind: "orchestrator" | "activity" | "entity";
  readonly name: string;
  /** Of the instance or entity, with the number of the activity: what is the same when it comes again. */
  readonly id: string;
  readonly completionToken: string;
}

/** An item that comes back within this time has not found its worker. */
const REMEMBERED_MS = 30_000;
const MOST_REMEMBERED = 10_000;
const FIRST_REST_MS = 100;
const LONGEST_REST_MS = 5_000;
/** Names that are told of, each once. */
const MOST_NAMES = 20;

/**
 * Gives somebody else's work back, unrun. At once when it comes for the first time; what comes again rests here longer
 * each time, or it would go to and fro without end.
 */
export class StrayWork {
  readonly #abandon: (item: StrayItem) => Promise<void>;
  readonly #onName: (item: StrayItem, isLast: boolean) => void;
  /** Ends all resting. */
  readonly #signal: AbortSignal;
  /** By id: how often it has come, and when it did last. In the order of that. */
  readonly #seen = new Map<string, { readonly times: number; readonly atMs: number }>();
  readonly #names = new Set<string>();
  #held = 0;

  constructor(
    abandon: (item: StrayItem) => Promise<void>,
    onName: (item: StrayItem, isLast: boolean) => void,
    signal: AbortSignal,
  ) {
    this.#abandon = abandon;
    this.#onName = onName;
    this.#signal = signal;
  }

  /** Items that are not given back yet. */
  get held(): number {
    return this.#held;
  }

  async giveBack(item: StrayItem): Promise<void> {
    this.#held++;
    this.#tell(item);
    const restMs = this.#restMs(item.id);
    if (restMs > 0) await wait(restMs, this.#signal);

    await this.#abandon(item);
    this.#held--;
  }

  #tell(item: StrayItem): void {
    const key = `${item.kind} ${item.name}`;
    if (this.#names.size < MOST_NAMES && !this.#names.has(key)) {
      this.#names.add(key);
      this.#onName(item, this.#names.size === MOST_NAMES);
    }
  }

  #restMs(id: string): number {
    const nowMs = performance.now();
    const before = this.#seen.get(id);
    const times = before !== undefined && nowMs - before.atMs < REMEMBERED_MS ? before.times + 1 : 1;
    this.#seen.delete(id);
    this.#seen.set(id, { times, atMs: nowMs });
    if (this.#seen.size > MOST_REMEMBERED) {
      const [oldest] = this.#seen.keys();
      this.#seen.delete(oldest!);
    }
    return times === 1 ? 0 : Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (times - 2));
  }
}
