import type { ReadyItem } from "./ready-items.js";
import { KINDS, type WorkKind } from "./work.js";
import { WorkClass } from "./work-class.js";
import type { Worker } from "./worker.js";

/** At least so many items have come before it is looked whether there is something to do for those that wait. */
const SWEEP_EVERY = 1_000;

type ByName<T extends ReadyItem> = Map<string, Map<string, WorkClass<T>>>;

/** All that waits for a worker, by kind, name and version, and who takes it. */
export class WorkClasses<T extends ReadyItem> {
  readonly #workers = new Set<Worker>();
  readonly #classes: Readonly<Record<WorkKind, ByName<T>>> = { episode: new Map(), activity: new Map() };
  /** The classes that are not empty and that some worker takes. */
  readonly #open: Readonly<Record<WorkKind, Set<WorkClass<T>>>> = { episode: new Set(), activity: new Set() };
  #added = 0;
  #sweepAt = SWEEP_EVERY;

  get workers(): ReadonlySet<Worker> {
    return this.#workers;
  }

  open(kind: WorkKind): ReadonlySet<WorkClass<T>> {
    return this.#open[kind];
  }

  /** Items of that kind that wait for a worker. It looks at each. */
  countWaiting(kind: WorkKind): number {
    let count = 0;
    for (const workClass of this.#each(kind)) for (const item of workClass) count += item.isOver() ? 0 : 1;

    return count;
  }

  addWorker(worker: Worker): void {
    this.#workers.add(worker);
    this.#findTakers();
  }

  /** False if it is none of them. */
  removeWorker(worker: Worker): boolean {
    if (!this.#workers.delete(worker)) return false;

    for (const kind of KINDS) for (const workClass of this.#each(kind)) workClass.release(worker);

    this.#findTakers();
    return true;
  }

  /** Something was put into it. */
  added(workClass: WorkClass<T>): void {
    if (workClass.takers.length > 0) this.#open[workClass.kind].add(workClass);

    this.#added += 1;
    if (this.#added >= this.#sweepAt) this.#sweep();
  }

  /** Something was taken out of it. */
  taken(workClass: WorkClass<T>): void {
    if (workClass.isEmpty) this.#open[workClass.kind].delete(workClass);
  }

  /** Forgets all items. */
  clear(): void {
    for (const kind of KINDS) {
      this.#classes[kind].clear();
      this.#open[kind].clear();
    }
  }

  close(): void {
    this.#workers.clear();
    this.clear();
  }

  /** The class that an item waits in. */
  classOf({ kind, work }: T): WorkClass<T> {
    const { name, version } = work;
    let versions = this.#classes[kind].get(name);
    if (versions === undefined) {
      versions = new Map();
      this.#classes[kind].set(name, versions);
    }
    let workClass = versions.get(version);
    if (workClass === undefined) {
      workClass = new WorkClass(kind, { name, version });
      workClass.takers = [...this.#workers].filter((worker) => worker.takes(kind, work));
      versions.set(version, workClass);
    }
    return workClass;
  }

  *#each(kind: WorkKind): Generator<WorkClass<T>> {
    for (const versions of this.#classes[kind].values()) yield* versions.values();
  }

  #findTakers(): void {
    const workers = [...this.#workers];
    for (const kind of KINDS) {
      this.#open[kind].clear();
      for (const workClass of this.#each(kind)) {
        workClass.takers = workers.filter((worker) => worker.takes(kind, workClass.work));
        if (!workClass.isEmpty && workClass.takers.length > 0) this.#open[kind].add(workClass);
      }
    }
  }

  /** What no worker takes would be kept for good, also where its instance has ended. */
  #sweep(): void {
    let left = 0;
    for (const kind of KINDS) {
      for (const [name, versions] of this.#classes[kind]) {
        for (const [version, workClass] of versions) {
          workClass.keep((item) => !item.isOver());
          left += workClass.length;
          if (workClass.isEmpty) {
            versions.delete(version);
            this.#open[kind].delete(workClass);
          }
        }
        if (versions.size === 0) this.#classes[kind].delete(name);
      }
    }
    this.#sweepAt = this.#added + Math.max(SWEEP_EVERY, left);
  }
}
