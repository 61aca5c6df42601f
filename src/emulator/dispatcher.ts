import type { Worker } from "./worker.js";

/** The other worker must be this many work items better off before an instance's item leaves its home worker. */
const STEAL_THRESHOLD = 128;

/** What the dispatcher keeps of an instance: its home worker. */
export interface Homed {
  home: Worker | undefined;
}

/** A work item that is ready; it is encoded when it is sent, so that it holds all that has arrived by then. */
export interface ReadyItem {
  readonly instance: Homed;
  /** Leases the item to the worker and returns its bytes; undefined if there is nothing to do for it any more. */
  encode(worker: Worker): Uint8Array | undefined;
}

/**
 * Gives ready items to workers. An instance's items go to its home worker, chosen at its first: a worker that runs an
 * instance alone takes in its results in few large episodes, two that share it interleave them.
 */
export class Dispatcher {
  readonly #workers = new Set<Worker>();
  /** Items that no worker has been chosen for, in order. */
  #ready: ReadyItem[] = [];

  get workers(): ReadonlySet<Worker> {
    return this.#workers;
  }

  addWorker(worker: Worker): void {
    this.#workers.add(worker);
  }

  /** Sends nothing more to it. What it holds stays with it; what it has not been sent goes to others. */
  removeWorker(worker: Worker): void {
    if (this.#workers.delete(worker)) {
      this.#ready = [...worker.backlog.splice(0), ...this.#ready];
    }
  }

  enqueue(item: ReadyItem): void {
    this.#ready.push(item);
  }

  /** Forgets all items that are not sent. */
  clear(): void {
    this.#ready = [];
    for (const worker of this.#workers) {
      worker.backlog.length = 0;
    }
  }

  /** Sends what can be sent. */
  pump(): void {
    if (this.#workers.size === 0 || this.#ready.length === 0) {
      return;
    }
    const ready = this.#ready;
    this.#ready = [];
    for (const item of ready) {
      const worker = this.#choose(item.instance);
      if (worker.blocked) {
        worker.backlog.push(item);
      } else {
        send(worker, item);
      }
    }
  }

  /** The stream of a worker takes more again. */
  unblock(worker: Worker): void {
    worker.blocked = false;
    let sent = 0;
    while (!worker.blocked && sent < worker.backlog.length) {
      send(worker, worker.backlog[sent]!);
      sent += 1;
    }
    worker.backlog.splice(0, sent);
  }

  leaveHome(instance: Homed): void {
    if (instance.home !== undefined) {
      instance.home.homed -= 1;
      instance.home = undefined;
    }
  }

  #choose(instance: Homed): Worker {
    if (instance.home === undefined || !this.#workers.has(instance.home)) {
      this.leaveHome(instance);
      instance.home = least(this.#workers, (worker) => worker.homed * 1e6 + worker.load);
      instance.home.homed += 1;
    }
    const { home } = instance;
    if (home.load < STEAL_THRESHOLD) {
      return home;
    }
    const idlest = least(this.#workers, (worker) => worker.load);
    return home.load - idlest.load >= STEAL_THRESHOLD ? idlest : home;
  }
}

function send(worker: Worker, item: ReadyItem): void {
  const bytes = item.encode(worker);
  if (bytes !== undefined) {
    worker.blocked = !worker.stream.write(bytes);
  }
}

function least(workers: ReadonlySet<Worker>, cost: (worker: Worker) => number): Worker {
  let best: Worker | undefined;
  for (const worker of workers) {
    if (best === undefined || cost(worker) < cost(best)) {
      best = worker;
    }
  }
  return best!;
}
