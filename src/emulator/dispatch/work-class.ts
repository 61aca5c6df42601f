import { FairQueue, isBefore, type Ticket } from "./fair-queue.js";
import { Newcomers } from "./newcomers.js";
import type { ReadyItem } from "./ready-items.js";
import type { WorkKind, WorkName } from "./work.js";
import type { Worker } from "./worker.js";

/** Items of one kind, name and version that wait: the same workers take all of them. */
export class WorkClass<T extends ReadyItem> {
  /** The workers that take them. */
  takers: readonly Worker[] = [];
  /** Of instances whose home takes them, by home. */
  readonly #own = new Map<Worker, FairQueue<T>>();
  /** Of all others. */
  readonly #shared = new FairQueue<T>();
  readonly newcomers = new Newcomers<T>();
  /** Items besides the newcomers, and their weight. */
  #length = 0;
  #weight = 0;
  /** When the last newcomer of this class began, in the order of such beginnings. */
  lastAdmitted = 0;

  constructor(
    readonly kind: WorkKind,
    readonly work: WorkName,
  ) {}

  get weight(): number {
    return this.#weight;
  }

  get length(): number {
    return this.#length + this.newcomers.length;
  }

  get isEmpty(): boolean {
    return this.length === 0;
  }

  /** All that wait. */
  *[Symbol.iterator](): Generator<T> {
    for (const queue of [this.#shared, ...this.#own.values()]) for (const { item } of queue) yield item;

    for (const { item } of this.newcomers) yield item;
  }

  push(ticket: Ticket<T>): void {
    const { item } = ticket;
    this.#queueOf(item).push(ticket);
    this.#length += 1;
    this.#weight += item.weight;
  }

  /**
   * The queue whose first item is the next to be sent: of those whose worker has room, and of those that any may take.
   * Only where there is none is an item taken from a worker that has no room for it.
   */
  next(): FairQueue<T> | undefined {
    if (this.#length === 0) return undefined;

    let best: FairQueue<T> | undefined;
    let hasRoom = false;
    for (const worker of this.takers) {
      if (worker.hasRoomFor(this.kind)) {
        hasRoom = true;
        best = earlier(best, this.#own.get(worker));
      }
    }
    if (!hasRoom) return undefined;

    best = earlier(best, this.#shared);
    if (best === undefined) for (const queue of this.#own.values()) best = earlier(best, queue);

    return best;
  }

  /** Takes the first item of one of its queues. */
  take(queue: FairQueue<T>): Ticket<T> {
    const ticket = queue.take()!;
    this.#length -= 1;
    this.#weight = this.#length === 0 ? 0 : this.#weight - ticket.item.weight;
    return ticket;
  }

  /** What waited for the worker is for any other. */
  release(worker: Worker): void {
    for (const ticket of this.#own.get(worker) ?? []) this.#shared.push(ticket);

    this.#own.delete(worker);
  }

  /** Drops what the condition does not hold for. */
  keep(condition: (item: T) => boolean): void {
    this.newcomers.keep(condition);
    this.#length = 0;
    this.#weight = 0;
    for (const queue of [this.#shared, ...this.#own.values()]) {
      queue.keep(condition);
      this.#length += queue.length;
      for (const { item } of queue) this.#weight += item.weight;
    }
  }

  #queueOf({ instance: { dispatch, ended }, refusedBy }: T): FairQueue<T> {
    const { home } = dispatch;
    if (home === undefined || ended || refusedBy?.has(home) === true || !this.takers.includes(home))
      return this.#shared;

    let own = this.#own.get(home);
    if (own === undefined) {
      own = new FairQueue();
      this.#own.set(home, own);
    }
    return own;
  }
}

function earlier<T>(one: FairQueue<T> | undefined, other: FairQueue<T> | undefined): FairQueue<T> | undefined {
  const [first, second] = [one?.first, other?.first];
  return second === undefined || (first !== undefined && isBefore(first, second)) ? one : other;
}
