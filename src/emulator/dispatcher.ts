import { Queue } from "./queue.js";
import type { Worker, WorkKind } from "./worker.js";

/** The other worker must be this many work items better off before an instance's item leaves its home worker. */
const STEAL_THRESHOLD = 128;

/** At least so many items have come before it is looked whether there is something to do for those that wait. */
const SWEEP_EVERY = 1_000;

/** What the dispatcher keeps of an instance: its home worker, as long as it runs. */
export interface Homed {
  home: Worker | undefined;
  readonly ended?: boolean;
}

/** What workers choose by: the name of the orchestrator or the activity, and its version, "" where it has none. */
export interface WorkName {
  readonly name: string;
  readonly version: string;
}

/** A work item that is ready; it is encoded when it is sent, so that it holds all that has arrived by then. */
export interface ReadyItem {
  readonly instance: Homed;
  readonly kind: WorkKind;
  readonly work: WorkName;
  /** Workers that have given it back because they do not want it: they get it only where nobody else may. */
  readonly refusedBy?: ReadonlySet<Worker> | undefined;
  /** Whether there is nothing to do for it any more. */
  isOver(): boolean;
  /** Leases the item to the worker and returns its bytes; undefined if there is nothing to do for it any more. */
  encode(worker: Worker): Uint8Array | undefined;
}

/** An item with its place in the order in which items became ready. */
export interface Queued {
  readonly item: ReadyItem;
  readonly seq: number;
}

/** Items of one kind, name and version, in order: the same workers take all of them. */
interface WorkClass {
  readonly kind: WorkKind;
  readonly work: WorkName;
  readonly queue: Queue<Queued>;
}

/**
 * Gives ready items to workers. An instance's items go to its home worker, chosen at its first: a worker that runs an
 * instance alone takes in its results in few large episodes, two that share it interleave them.
 */
export class Dispatcher {
  readonly #workers = new Set<Worker>();
  /** Items that no worker has been chosen for, in order. */
  #ready: Queued[] = [];
  /** Items that no worker takes, or none has room for now. No class is empty. */
  readonly #parked = new Map<string, WorkClass>();
  #lastSeq = 0;
  #sweepAtSeq = SWEEP_EVERY;
  /** Whether some worker does not take everything at any time. */
  #choosy = false;

  get workers(): ReadonlySet<Worker> {
    return this.#workers;
  }

  addWorker(worker: Worker): void {
    this.#workers.add(worker);
    this.#choosy ||= worker.choosy;
  }

  /** Sends nothing more to it. What it holds stays with it; what it has not been sent goes to others. */
  removeWorker(worker: Worker): void {
    if (!this.#workers.delete(worker)) {
      return;
    }
    this.#choosy = [...this.#workers].some(({ choosy }) => choosy);
    const unsent = worker.backlog.splice(0);
    if (unsent.length > 0) {
      const parked = [...this.#parked.values()].flatMap(({ queue }) => [...queue]);
      this.#parked.clear();
      // A backlog grows while nothing is parked, so that all of it is older.
      this.#ready = [...unsent, ...parked, ...this.#ready];
    }
  }

  enqueue(item: ReadyItem): void {
    this.#ready.push({ item, seq: (this.#lastSeq += 1) });
    if (this.#lastSeq >= this.#sweepAtSeq) {
      this.#sweep();
    }
  }

  /** Forgets all items that are not sent. */
  clear(): void {
    this.#ready = [];
    this.#parked.clear();
    for (const worker of this.#workers) {
      worker.backlog.length = 0;
    }
  }

  /** Sends what can be sent. */
  pump(): void {
    if (this.#workers.size === 0) {
      return;
    }
    if (this.#choosy || this.#parked.size > 0) {
      this.#park();
      this.#unpark();
      return;
    }
    const workers = [...this.#workers];
    for (const queued of this.#ready.splice(0)) {
      const worker = this.#choose(queued.item, workers);
      if (worker.blocked) {
        worker.backlog.push(queued);
      } else {
        send(worker, queued.item);
      }
    }
  }

  /** The stream of a worker takes more again. */
  unblock(worker: Worker): void {
    worker.blocked = false;
    let sent = 0;
    while (!worker.blocked && sent < worker.backlog.length) {
      send(worker, worker.backlog[sent]!.item);
      sent += 1;
    }
    worker.backlog.splice(0, sent);
    this.pump();
  }

  leaveHome(instance: Homed): void {
    if (instance.home !== undefined) {
      instance.home.homed -= 1;
      instance.home = undefined;
    }
  }

  /** Of the workers that can take the item, its instance's home or the one that is better off. */
  #choose({ instance, refusedBy }: ReadyItem, able: readonly Worker[]): Worker {
    const willing = refusedBy === undefined ? able : able.filter((worker) => !refusedBy.has(worker));
    const workers = willing.length === 0 ? able : willing;
    if (instance.ended === true) {
      return least(workers, (worker) => worker.load);
    }
    if (instance.home === undefined || !this.#workers.has(instance.home)) {
      this.leaveHome(instance);
      instance.home = least(workers, (worker) => worker.homed * 1e6 + worker.load);
      instance.home.homed += 1;
    }
    const { home } = instance;
    const isHomeAble = workers.includes(home);
    if (isHomeAble && home.load < STEAL_THRESHOLD) {
      return home;
    }
    const idlest = least(workers, (worker) => worker.load);
    return !isHomeAble || home.load - idlest.load >= STEAL_THRESHOLD ? idlest : home;
  }

  /** What no worker takes would be kept for good, also where its instance has ended. */
  #sweep(): void {
    this.#ready = this.#ready.filter(isLeft);
    let left = this.#ready.length;
    for (const [key, { kind, work, queue }] of this.#parked) {
      const kept = [...queue].filter(isLeft);
      left += kept.length;
      if (kept.length === 0) {
        this.#parked.delete(key);
      } else {
        this.#parked.set(key, { kind, work, queue: new Queue(kept) });
      }
    }
    this.#sweepAtSeq = this.#lastSeq + Math.max(SWEEP_EVERY, left);
  }

  #park(): void {
    for (const queued of this.#ready.splice(0)) {
      const { kind, work } = queued.item;
      const key = `${kind} ${work.name.length} ${work.name} ${work.version}`;
      let parked = this.#parked.get(key);
      if (parked === undefined) {
        parked = { kind, work, queue: new Queue() };
        this.#parked.set(key, parked);
      }
      parked.queue.push(queued);
    }
  }

  /** Sends what has become ready first of all that a worker takes now. A worker that is blocked takes nothing. */
  #unpark(): void {
    const workers = [...this.#workers];
    let open = Array.from(this.#parked, ([key, { kind, work, queue }]) => {
      return { key, kind, queue, takers: workers.filter((worker) => worker.takes(kind, work)) };
    });
    open = open.filter(({ takers }) => takers.length > 0);
    while (open.length > 0) {
      const oldest = open.reduce((best, each) => (each.queue.first!.seq < best.queue.first!.seq ? each : best));
      const able = oldest.takers.filter((worker) => worker.hasRoomFor(oldest.kind));
      if (able.length > 0) {
        const { item } = oldest.queue.first!;
        oldest.queue.drop();
        send(this.#choose(item, able), item);
      }
      if (oldest.queue.length === 0) {
        this.#parked.delete(oldest.key);
      }
      // Nothing that happens here makes room.
      if (able.length === 0 || oldest.queue.length === 0) {
        open.splice(open.indexOf(oldest), 1);
      }
    }
  }
}

function isLeft({ item }: Queued): boolean {
  return !item.isOver();
}

function send(worker: Worker, item: ReadyItem): void {
  const bytes = item.encode(worker);
  if (bytes !== undefined) {
    worker.blocked = !worker.stream.write(bytes);
  }
}

function least(workers: readonly Worker[], cost: (worker: Worker) => number): Worker {
  return workers.reduce((best, worker) => (cost(worker) < cost(best) ? worker : best));
}
