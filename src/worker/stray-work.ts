import { wait } from "./backoff.js";
import { Rests } from "./rests.js";

/** A work item of another application, which this worker does not host. */
export interface StrayItem {
  readonly kind: "orchestrator" | "activity" | "entity";
  readonly name: string;
  /** The id of the instance or entity, with the number of the activity. It is the same when the item returns. */
  readonly id: string;
  readonly completionToken: string;
}

/** The limit of reported names. Each name is reported once. */
const MOST_NAMES = 20;

/**
 * Gives work of other applications back without executing it. An item is given back at once the first time. When it
 * returns, it rests here, longer each time, so that it does not go back and forth without end.
 */
export class StrayWork {
  readonly #abandon: (item: StrayItem) => Promise<void>;
  readonly #onName: (item: StrayItem, isLast: boolean) => void;
  /** Ends all rests. */
  readonly #signal: AbortSignal;
  readonly #rests = new Rests();
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

  /** The number of items that rest here. */
  get held(): number {
    return this.#held;
  }

  async giveBack(item: StrayItem): Promise<void> {
    this.#held++;
    this.#tell(item);
    const restMs = this.#rests.next(item.id);
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
}
