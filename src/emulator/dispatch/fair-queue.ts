/** A place in a line: the lower turn is served first, and of one turn the lower `seq`. */
export interface Ticket<T> {
  readonly item: T;
  /** Which turn of its owner the item is. */
  readonly turn: number;
  /** Its place in the order in which items came. */
  readonly seq: number;
}

export function isBefore(one: Ticket<unknown>, other: Ticket<unknown>): boolean {
  return one.turn === other.turn ? one.seq < other.seq : one.turn < other.turn;
}

/** Tickets by their places: a binary heap, so that to add and to take one costs the logarithm of how many there are. */
export class FairQueue<T> {
  #heap: Ticket<T>[] = [];

  get length(): number {
    return this.#heap.length;
  }

  get first(): Ticket<T> | undefined {
    return this.#heap[0];
  }

  /** In no particular order. */
  [Symbol.iterator](): Iterator<Ticket<T>> {
    return this.#heap[Symbol.iterator]();
  }

  push(ticket: Ticket<T>): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(ticket, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = ticket;
  }

  take(): Ticket<T> | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first !== undefined && last !== undefined && first !== last) this.#sink(last);

    return first;
  }

  /** Drops what the condition does not hold for. */
  keep(condition: (item: T) => boolean): void {
    const kept = this.#heap.filter(({ item }) => condition(item));
    // A list in order is a heap.
    this.#heap = kept.sort((one, other) => (isBefore(one, other) ? -1 : 1));
  }

  /** Puts a ticket where the first was. */
  #sink(ticket: Ticket<T>): void {
    const heap = this.#heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, ticket)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = ticket;
  }
}
