import type { Admission } from "./admission.js";
import { isBefore, type FairQueue } from "./fair-queue.js";
import type { ReadyItem } from "./ready-items.js";
import type { WorkKind } from "./work.js";
import type { WorkClass } from "./work-class.js";
import { WorkClasses } from "./work-classes.js";
import type { Worker } from "./worker.js";

/** The other worker must be this many work items better off before an instance's item leaves its home worker. */
const STEAL_THRESHOLD = 128;

/**
 * Activities of an instance that make one turn. A fan-out that is no wider is sent whole, as it came: its results come
 * back together and are taken in by one episode, where those of fan-outs that take turns one by one trickle in: each
 * episode in between is a commit and, for a worker without extended sessions, a replay of the whole history.
 */
const TURN_ACTIVITIES = 100;

/** An item, and the worker that is to have it. */
export interface Choice<T extends ReadyItem> {
  readonly item: T;
  readonly worker: Worker;
}

interface Taken<T extends ReadyItem> {
  readonly item: T;
  readonly workClass: WorkClass<T>;
}

/**
 * Chooses which item is sent next, and to which worker, as many as each has room for.
 *
 * An instance's items go to its home worker, chosen at its first: a worker that runs an instance alone takes in its
 * results in few large episodes, two that share it interleave them. Instances take turns: the activities of one that has
 * thousands wait let those of others pass in between (start-time fair queuing in turns of `TURN_ACTIVITIES`: an activity's
 * place is behind its instance's last one, and behind the turn that is being sent). Instances that have not begun wait for
 * `Admission`.
 */
export class Matcher<T extends ReadyItem> {
  readonly #classes = new WorkClasses<T>();
  readonly #admission: Admission;
  /** What is looked for first: episodes and activities take turns, as the stream of a worker is for both. */
  #kind: WorkKind = "activity";
  #lastSeq = 0;
  /** The turn of the last activity that was chosen. */
  #turn = 0;
  /** Instances that began. */
  #admitted = 0;
  /** Whether instances had to wait for others, since there was last none that waited. */
  #crowded = false;
  /** Whether the last episode that was chosen was an instance's first. */
  #hasAdmitted = false;
  #isHeldBack = false;

  constructor(admission: Admission) {
    this.#admission = admission;
  }

  get workers(): ReadonlySet<Worker> {
    return this.#classes.workers;
  }

  /** Whether the last look found an instance that may begin later, though nothing else happens. */
  get isHeldBack(): boolean {
    return this.#isHeldBack;
  }

  /** Items of that kind that wait for a worker. It looks at each. */
  countWaiting(kind: WorkKind): number {
    return this.#classes.countWaiting(kind);
  }

  addWorker(worker: Worker): void {
    this.#classes.addWorker(worker);
  }

  /** Nothing more is for it. What it holds stays with it; what it has not been sent goes to others. */
  removeWorker(worker: Worker): void {
    this.#classes.removeWorker(worker);
  }

  enqueue(item: T): void {
    const { kind, instance, newcomer } = item;
    const workClass = this.#classes.classOf(item);
    const seq = (this.#lastSeq += 1);
    if (newcomer !== undefined) {
      workClass.newcomers.push({ item, seq }, newcomer === "child");
    } else if (kind === "activity") {
      const place = instance.dispatch.nextPlace(this.#turn * TURN_ACTIVITIES);
      workClass.push({ item, seq, turn: Math.ceil(place / TURN_ACTIVITIES) });
    } else {
      // An instance has one episode at a time.
      workClass.push({ item, seq, turn: 0 });
    }
    this.#classes.added(workClass);
  }

  /** Forgets all items that were not chosen. */
  clear(): void {
    this.#classes.clear();
  }

  /** Nothing is chosen any more. */
  close(): void {
    this.#classes.close();
  }

  /** Takes the next item out that some worker has room for; undefined if there is none. */
  next(): Choice<T> | undefined {
    if (this.workers.size === 0) return undefined;

    let misses = 0;
    while (misses < 2) {
      const kind = this.#kind;
      this.#kind = kind === "activity" ? "episode" : "activity";
      const taken = kind === "activity" ? this.#takeNext("activity") : this.#takeEpisode();
      misses = taken === undefined ? misses + 1 : 0;
      if (taken === undefined) continue;

      const { item, workClass } = taken;
      this.#classes.taken(workClass);
      if (!item.isOver()) return { item, worker: this.#choose(item, workClass) };
    }
    return undefined;
  }

  /** Takes an episode, of instances that run and of those that begin in turn. */
  #takeEpisode(): Taken<T> | undefined {
    const running = this.#hasAdmitted ? this.#takeNext("episode") : undefined;
    this.#hasAdmitted = false;
    if (running !== undefined) return running;

    const workClass = this.#newcomersNext();
    if (workClass === undefined) return this.#takeNext("episode");

    const { newcomers } = workClass;
    const { item } = this.#crowded ? newcomers.takeInTurn()! : newcomers.takeOldest()!;
    workClass.lastAdmitted = this.#admitted += 1;
    this.#hasAdmitted = true;
    return { item, workClass };
  }

  /** Takes the item of that kind that is next, newcomers aside. */
  #takeNext(kind: WorkKind): Taken<T> | undefined {
    let from: WorkClass<T> | undefined;
    let queue: FairQueue<T> | undefined;
    for (const workClass of this.#classes.open(kind)) {
      const next = workClass.next();
      if (next !== undefined && (queue === undefined || isBefore(next.first!, queue.first!))) {
        from = workClass;
        queue = next;
      }
    }
    if (from === undefined || queue === undefined) return undefined;

    const { item, turn } = from.take(queue);
    this.#turn = Math.max(this.#turn, turn);
    return { item, workClass: from };
  }

  /** The class of which an instance may begin now: orchestrators take turns where instances have to wait for that. */
  #newcomersNext(): WorkClass<T> | undefined {
    let best: WorkClass<T> | undefined;
    let waiting = 0;
    for (const workClass of this.#classes.open("episode")) {
      waiting += workClass.newcomers.length;
      if (workClass.newcomers.length > 0 && workClass.takers.some((worker) => worker.hasRoomFor("episode")))
        best = best === undefined || this.#begins(workClass, best) ? workClass : best;
    }
    this.#crowded &&= waiting > 0;
    const weight = best === undefined ? 0 : this.#waitingWeight();
    this.#isHeldBack = best !== undefined && !this.#admission.isOpen(weight);
    if (!this.#isHeldBack) return best;

    this.#crowded ||= this.#admission.isCrowded(weight);
    return undefined;
  }

  #begins(one: WorkClass<T>, other: WorkClass<T>): boolean {
    return this.#crowded
      ? one.lastAdmitted < other.lastAdmitted
      : one.newcomers.oldest!.seq < other.newcomers.oldest!.seq;
  }

  #waitingWeight(): number {
    let weight = 0;
    for (const workClass of this.#classes.open("activity")) weight += workClass.weight;
    return weight;
  }

  /** Of the workers that have room for the item, its instance's home or the one that is better off. */
  #choose({ instance, refusedBy }: T, { kind, takers }: WorkClass<T>): Worker {
    const able = takers.length === 1 ? takers : takers.filter((worker) => worker.hasRoomFor(kind));
    const willing = refusedBy === undefined ? able : able.filter((worker) => !refusedBy.has(worker));
    const workers = willing.length === 0 ? able : willing;
    const home = instance.ended ? undefined : this.#homeOf(instance, workers);
    const isHomeAble = home !== undefined && workers.includes(home);
    if (isHomeAble && home.load < STEAL_THRESHOLD) return home;

    const idlest = least(workers, (worker) => worker.load);
    return isHomeAble && home.load - idlest.load < STEAL_THRESHOLD ? home : idlest;
  }

  #homeOf({ dispatch }: T["instance"], workers: readonly Worker[]): Worker {
    const { home } = dispatch;
    if (home !== undefined && this.workers.has(home)) return home;

    const next = least(workers, (worker) => worker.homed * 1e6 + worker.load);
    dispatch.moveHome(next);
    return next;
  }
}

function least(workers: readonly Worker[], cost: (worker: Worker) => number): Worker {
  return workers.reduce((best, worker) => (cost(worker) < cost(best) ? worker : best));
}
