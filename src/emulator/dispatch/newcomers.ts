import { Queue } from "../../async/queue.js";

type Source = "child" | "newest" | "oldest";

/** Where the next one comes from while more wait than may begin: who comes late among many that are large waits little. */
const TURNS: readonly Source[] = ["newest", "child", "newest", "child", "newest", "child", "oldest", "child"];

export interface Newcomer<T> {
  readonly item: T;
  readonly seq: number;
}

/** Instances that wait for their first episode. */
export class Newcomers<T> {
  /** Sub-orchestrations: to begin them is to go on with what has begun. */
  #children = new Queue<Newcomer<T>>();
  #roots = new Queue<Newcomer<T>>();
  #turn = 0;

  get length(): number {
    return this.#children.length + this.#roots.length;
  }

  get oldest(): Newcomer<T> | undefined {
    return this.#oldestQueue.first;
  }

  *[Symbol.iterator](): Generator<Newcomer<T>> {
    yield* this.#children;
    yield* this.#roots;
  }

  push(newcomer: Newcomer<T>, isChild: boolean): void {
    (isChild ? this.#children : this.#roots).push(newcomer);
  }

  /** Takes the one that has waited longest. */
  takeOldest(): Newcomer<T> | undefined {
    return takeFirst(this.#oldestQueue);
  }

  /** Takes sub-orchestrations and others in turn, of those three times the one that came last and then the first. */
  takeInTurn(): Newcomer<T> | undefined {
    if (this.length === 0) return undefined;

    for (;;) {
      const source = TURNS[this.#turn]!;
      this.#turn = (this.#turn + 1) % TURNS.length;
      const queue = source === "child" ? this.#children : this.#roots;
      if (queue.length > 0) return source === "newest" ? takeLast(queue) : takeFirst(queue);
    }
  }

  /** Drops what the condition does not hold for. */
  keep(condition: (item: T) => boolean): void {
    this.#children = new Queue([...this.#children].filter(({ item }) => condition(item)));
    this.#roots = new Queue([...this.#roots].filter(({ item }) => condition(item)));
  }

  get #oldestQueue(): Queue<Newcomer<T>> {
    const [child, root] = [this.#children.first, this.#roots.first];
    return root === undefined || (child !== undefined && child.seq < root.seq) ? this.#children : this.#roots;
  }
}

function takeFirst<T>(queue: Queue<T>): T | undefined {
  const { first } = queue;
  queue.drop();
  return first;
}

function takeLast<T>(queue: Queue<T>): T | undefined {
  const { last } = queue;
  queue.dropLast();
  return last;
}
