import type { Clock } from "../clock/clock.js";
import type { Cancel } from "../clock/system-time.js";
import { ASK_AGAIN_MS, type Admission } from "./admission.js";
import { isBefore, type FairQueue } from "./fair-queue.js";
import { WorkClass } from "./work-class.js";
import type { Worker, WorkKind } from "./worker.js";

/** The other worker must be this many work items better off before an instance's item leaves its home worker. */
const STEAL_THRESHOLD = 128;

/** At least so many items have come before it is looked whether there is something to do for those that wait. */
const SWEEP_EVERY = 1_000;

/**
 * Activities of an instance that make one turn. A fan-out that is no wider is sent whole, as it came: its results come
 * back together and are taken in by one episode, where those of fan-outs that take turns one by one trickle in: each
 * episode in between is a commit and, for a worker without extended sessions, a replay of the whole history.
 */
const TURN_ACTIVITIES = 100;

/** What the dispatcher keeps of an instance: its home worker, as long as it runs, and the place of its last activity. */
export interface Homed {
  home: Worker | undefined;
  /** In activities: the turn is this divided by `TURN_ACTIVITIES`, rounded up. */
  lastPlace: number;
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
  /** Of an activity: see `activityWeight`. */
  readonly weight: number;
  /** The first episode of an instance: whether it is one, and of a sub-orchestration. It may have to wait for others. */
  readonly newcomer?: "root" | "child" | undefined;
  /** Workers that have given it back because they do not want it: they get it only where nobody else may. */
  readonly refusedBy?: ReadonlySet<Worker> | undefined;
  /** Whether there is nothing to do for it any more. */
  isOver(): boolean;
  /** Leases the item to the worker and returns its bytes; undefined if there is nothing to do for it any more. */
  encode(worker: Worker): Uint8Array | undefined;
}

type Classes = Map<string, Map<string, WorkClass>>;

/**
 * Gives ready items to workers, as many as each has room for.
 *
 * An instance's items go to its home worker, chosen at its first: a worker that runs an instance alone takes in its
 * results in few large episodes, two that share it interleave them. Instances take turns: the activities of one that has
 * thousands wait let those of others pass in between (start-time fair queuing in turns of `TURN_ACTIVITIES`: an activity's
 * place is behind its instance's last one, and behind the turn that is being sent). Instances that have not begun wait for
 * `Admission`.
 */
export class Dispatcher {
  readonly #workers = new Set<Worker>();
  readonly #classes: Readonly<Record<WorkKind, Classes>> = { episode: new Map(), activity: new Map() };
  /** The classes that are not empty and that some worker takes. */
  readonly #open: Readonly<Record<WorkKind, Set<WorkClass>>> = { episode: new Set(), activity: new Set() };
  readonly #admission: Admission;
  #lastSeq = 0;
  /** The turn of the last activity that was sent. */
  #turn = 0;
  #sweepAtSeq = SWEEP_EVERY;
  /** Instances that began. */
  #admitted = 0;
  /** Whether instances had to wait for others, since there was last none that waited. */
  #crowded = false;
  /** Whether the last episode that was sent was an instance's first. */
  #hasAdmitted = false;
  readonly #clock: Pick<Clock, "after">;
  #cancelAsking: Cancel | undefined;

  constructor(clock: Pick<Clock, "after">, admission: Admission) {
    this.#clock = clock;
    this.#admission = admission;
  }

  get workers(): ReadonlySet<Worker> {
    return this.#workers;
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

  /** Sends nothing more to it. What it holds stays with it; what it has not been sent goes to others. */
  removeWorker(worker: Worker): void {
    if (!this.#workers.delete(worker)) return;

    for (const kind of KINDS) for (const workClass of this.#each(kind)) workClass.release(worker);

    this.#findTakers();
  }

  enqueue(item: ReadyItem): void {
    const { kind, instance, newcomer } = item;
    const workClass = this.#classOf(item);
    const seq = (this.#lastSeq += 1);
    if (newcomer !== undefined) {
      workClass.newcomers.push({ item, seq }, newcomer === "child");
    } else if (kind === "activity") {
      instance.lastPlace = Math.max(instance.lastPlace, this.#turn * TURN_ACTIVITIES) + 1;
      workClass.push({ item, seq, turn: Math.ceil(instance.lastPlace / TURN_ACTIVITIES) });
    } else {
      // An instance has one episode at a time.
      workClass.push({ item, seq, turn: 0 });
    }
    if (workClass.takers.length > 0) this.#open[kind].add(workClass);

    if (this.#lastSeq >= this.#sweepAtSeq) this.#sweep();
  }

  /** Forgets all items that are not sent. */
  clear(): void {
    for (const kind of KINDS) {
      this.#classes[kind].clear();
      this.#open[kind].clear();
    }
  }

  /** Sends what can be sent. */
  pump(): void {
    let isGoing = this.#workers.size > 0;
    while (isGoing) {
      // In turn, as the stream of a worker is for both.
      const activity = this.#sendNext("activity");
      isGoing = this.#sendEpisode() || activity;
    }
  }

  /** The stream of a worker takes more again. */
  unblock(worker: Worker): void {
    worker.blocked = false;
    this.pump();
  }

  leaveHome(instance: Homed): void {
    if (instance.home !== undefined) {
      instance.home.homed -= 1;
      instance.home = undefined;
    }
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#cancelAsking?.();
    this.#workers.clear();
    this.clear();
  }

  /** Sends an episode, of instances that run and of those that begin in turn; false if there is none to be sent. */
  #sendEpisode(): boolean {
    if (this.#hasAdmitted && this.#sendNext("episode")) {
      this.#hasAdmitted = false;
      return true;
    }
    const workClass = this.#newcomersNext();
    if (workClass === undefined) {
      this.#hasAdmitted = false;
      return this.#sendNext("episode");
    }
    const { newcomers } = workClass;
    const { item } = this.#crowded ? newcomers.takeInTurn()! : newcomers.takeOldest()!;
    workClass.lastAdmitted = this.#admitted += 1;
    this.#hasAdmitted = true;
    this.#send(item, workClass);
    return true;
  }

  /** Sends the item of that kind that is next, newcomers aside; false if there is none that a worker has room for. */
  #sendNext(kind: WorkKind): boolean {
    let from: WorkClass | undefined;
    let queue: FairQueue<ReadyItem> | undefined;
    for (const workClass of this.#open[kind]) {
      const next = workClass.next();
      if (next !== undefined && (queue === undefined || isEarlier(next, queue))) {
        from = workClass;
        queue = next;
      }
    }
    if (from === undefined || queue === undefined) return false;

    const { item, turn } = from.take(queue);
    this.#turn = Math.max(this.#turn, turn);
    this.#send(item, from);
    return true;
  }

  /** The class of which an instance may begin now: orchestrators take turns where instances have to wait for that. */
  #newcomersNext(): WorkClass | undefined {
    let best: WorkClass | undefined;
    let waiting = 0;
    for (const workClass of this.#open.episode) {
      waiting += workClass.newcomers.length;
      if (workClass.newcomers.length > 0 && workClass.takers.some((worker) => worker.hasRoomFor("episode")))
        best = best === undefined || this.#begins(workClass, best) ? workClass : best;
    }
    this.#crowded &&= waiting > 0;
    const weight = best === undefined ? 0 : this.#waitingWeight();
    if (best !== undefined && !this.#admission.isOpen(weight)) {
      this.#crowded ||= this.#admission.isCrowded(weight);
      this.#cancelAsking ??= this.#clock.after(ASK_AGAIN_MS, () => {
        this.#cancelAsking = undefined;
        this.pump();
      });
      return undefined;
    }
    return best;
  }

  #begins(one: WorkClass, other: WorkClass): boolean {
    return this.#crowded
      ? one.lastAdmitted < other.lastAdmitted
      : one.newcomers.oldest!.seq < other.newcomers.oldest!.seq;
  }

  #waitingWeight(): number {
    let weight = 0;
    for (const workClass of this.#open.activity) weight += workClass.weight;
    return weight;
  }

  #send(item: ReadyItem, workClass: WorkClass): void {
    if (workClass.isEmpty) this.#open[workClass.kind].delete(workClass);

    const worker = this.#choose(item, workClass);
    const bytes = item.encode(worker);
    if (bytes === undefined) return;

    worker.blocked = !worker.stream.write(bytes);
  }

  /** Of the workers that have room for the item, its instance's home or the one that is better off. */
  #choose({ instance, refusedBy }: ReadyItem, { kind, takers }: WorkClass): Worker {
    const able = takers.length === 1 ? takers : takers.filter((worker) => worker.hasRoomFor(kind));
    const willing = refusedBy === undefined ? able : able.filter((worker) => !refusedBy.has(worker));
    const workers = willing.length === 0 ? able : willing;
    const home = instance.ended === true ? undefined : this.#homeOf(instance, workers);
    const isHomeAble = home !== undefined && workers.includes(home);
    if (isHomeAble && home.load < STEAL_THRESHOLD) return home;

    const idlest = least(workers, (worker) => worker.load);
    return isHomeAble && home.load - idlest.load < STEAL_THRESHOLD ? home : idlest;
  }

  #homeOf(instance: Homed, workers: readonly Worker[]): Worker {
    if (instance.home === undefined || !this.#workers.has(instance.home)) {
      this.leaveHome(instance);
      instance.home = least(workers, (worker) => worker.homed * 1e6 + worker.load);
      instance.home.homed += 1;
    }
    return instance.home;
  }

  #classOf({ kind, work }: ReadyItem): WorkClass {
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

  *#each(kind: WorkKind): Generator<WorkClass> {
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
    this.#sweepAtSeq = this.#lastSeq + Math.max(SWEEP_EVERY, left);
  }
}

const KINDS: readonly WorkKind[] = ["episode", "activity"];

function isEarlier(one: FairQueue<ReadyItem>, other: FairQueue<ReadyItem>): boolean {
  return isBefore(one.first!, other.first!);
}

function least(workers: readonly Worker[], cost: (worker: Worker) => number): Worker {
  return workers.reduce((best, worker) => (cost(worker) < cost(best) ? worker : best));
}
