import { ASK_AGAIN_MS, Admission } from "./admission.js";
import type { Clock } from "../clock/clock.js";
import type { Cancel } from "../clock/system-time.js";
import type { DispatchedInstance } from "./dispatched-instance.js";
import { Matcher } from "./matcher.js";
import { HeldLeases } from "./held-leases.js";
import { LeaseTable, type EpisodeLease, type Lease } from "./leases.js";
import type { Outcome } from "../instance/orchestration.js";
import type { ActivityItem, EpisodeItem } from "./ready-items.js";
import { Readiness } from "./readiness.js";
import type { WorkKind } from "./work.js";
import { WorkItems } from "./work-items.js";
import type { HeldItem, Worker } from "./worker.js";

/**
 * How long a worker whose stream has ended may finish its episodes, milliseconds. They are short: who is not done by then
 * has forgotten them. Activities stay with it as long as its connection lives, since they may honestly take hours.
 */
const EPISODE_PATIENCE_MS = 30_000;

export interface DispatchOptions {
  readonly clock: Clock;
  /** A completion token that no other lease of this or an earlier process has. ASCII. */
  readonly newToken: () => string;
  /** How long an episode waits for more results at most, milliseconds; undefined: as `HoldPolicy` has it. */
  readonly mostHoldMs?: number | undefined;
}

/**
 * Gives the work of a hub's instances to its workers, and takes it back from those that are gone. Work goes one way: the
 * `Readiness` says what is ready, the `Matcher` chooses an item and its worker, `WorkItems` leases and sends it.
 */
export class Dispatch {
  readonly #clock: Clock;
  readonly #leases = new LeaseTable();
  readonly #readiness: Readiness;
  readonly #matcher: Matcher<EpisodeItem | ActivityItem>;
  readonly #workItems: WorkItems;
  /** Work items that came back from workers and rest. */
  readonly #resting: Record<WorkKind, number> = { episode: 0, activity: 0 };
  #workerlessSinceMs: number | undefined;
  #redelivered = 0;
  #cancelAsking: Cancel | undefined;
  #closed = false;

  constructor({ clock, newToken, mostHoldMs }: DispatchOptions) {
    this.#clock = clock;
    this.#workerlessSinceMs = clock.steadyMs();
    const admission = new Admission(clock);
    const matcher = new Matcher<EpisodeItem | ActivityItem>(admission);
    this.#matcher = matcher;
    this.#workItems = new WorkItems(this.#leases, admission, clock, newToken);
    this.#readiness = new Readiness({
      clock,
      admission,
      mostHoldMs,
      enqueue: (item) => {
        matcher.enqueue(item);
      },
      onLate: () => {
        this.pump();
      },
    });
  }

  // What it shows.

  get workerCount(): number {
    return this.#matcher.workers.size;
  }

  /** Workers that take work of this orchestrator, without a version. */
  workersFor(orchestrator: string): number {
    const work = { name: orchestrator, version: "" };
    return [...this.#matcher.workers].filter((worker) => worker.takes("episode", work)).length;
  }

  /** Milliseconds since there was a worker; 0 while there is one. */
  get workerlessMs(): number {
    return this.#workerlessSinceMs === undefined ? 0 : this.#clock.steadyMs() - this.#workerlessSinceMs;
  }

  /** Work items dispatched again because their worker had gone. */
  get redelivered(): number {
    return this.#redelivered;
  }

  /** Work items of that kind: it looks at each that waits. */
  backlog(kind: WorkKind): { readonly waiting: number; readonly withWorkers: number; readonly resting: number } {
    return {
      waiting: this.#matcher.countWaiting(kind),
      withWorkers: this.#leases.count(kind),
      resting: this.#resting[kind],
    };
  }

  // Instances.

  add(instance: DispatchedInstance): void {
    this.#readiness.add(instance);
  }

  /** The events that it has received up to this `seq` are on disk. */
  settle(instance: DispatchedInstance, seq: number): void {
    const nowMs = this.#clock.steadyMs();
    for (const { isResult } of instance.settle(seq)) instance.dispatch.eventArrived(isResult, nowMs);

    this.#readiness.consider(instance);
  }

  /** An activity that is on disk is to be run. */
  enqueueTask(instance: DispatchedInstance, executionId: string, taskId: number): void {
    this.#readiness.enqueueTask(instance, executionId, taskId);
  }

  /** Takes in what an episode showed. */
  learn(lease: EpisodeLease, outcome: Outcome): void {
    this.#readiness.learn(lease, outcome);
  }

  /** Sends what can be sent. */
  pump(): void {
    for (let choice = this.#matcher.next(); choice !== undefined; choice = this.#matcher.next())
      this.#workItems.send(choice);

    if (this.#matcher.isHeldBack) {
      this.#cancelAsking ??= this.#clock.after(ASK_AGAIN_MS, () => {
        this.#cancelAsking = undefined;
        this.pump();
      });
    }
  }

  // Workers.

  addWorker(worker: Worker): void {
    this.#matcher.addWorker(worker);
    this.#workerlessSinceMs = undefined;
    this.pump();
  }

  /** Its stream is over, or it is to get no more; what it holds stays leased to it, its episodes for a while. */
  removeWorker(worker: Worker): void {
    this.#remove(worker);
    if (worker.holds.episode === 0) return;

    this.#clock.after(EPISODE_PATIENCE_MS, () => {
      const { connectionItems } = worker;
      this.#takeBack([...connectionItems].filter((item) => item.worker === worker && item.kind === "episode"));
    });
  }

  /** The same for one that has cancelled its stream: what has not left this process never reached it. */
  cancelWorker(worker: Worker): void {
    const waiting = [...worker.itemsWaiting];
    this.removeWorker(worker);
    if (!this.#closed) this.#putBack(this.#takeHeld(waiting));
  }

  #remove(worker: Worker): void {
    this.#matcher.removeWorker(worker);
    if (this.workerCount === 0) this.#workerlessSinceMs ??= this.#clock.steadyMs();

    this.pump();
  }

  /** The stream of a worker takes more again. */
  unblockWorker(worker: Worker): void {
    worker.unblock();
    this.pump();
  }

  /** Stops sending to all workers, or to those of that id, and ends their streams behind all that was sent. */
  dismissWorkers(id?: string): number {
    const workers = [...this.#matcher.workers].filter((worker) => id === undefined || worker.id === id);
    for (const worker of workers) {
      this.removeWorker(worker);
      worker.end();
    }
    return workers.length;
  }

  /** A connection has gone: its workers with it, and all that they held goes back to its queue. */
  disconnect(items: ReadonlySet<HeldItem>): void {
    for (const worker of this.#matcher.workers) if (worker.connectionItems === items) this.#remove(worker);

    this.#takeBack([...items]);
  }

  // Leases.

  /**
   * The work item of that token is completed.
   * @throws RpcError NOT_FOUND if the token is stale or belongs to something else
   */
  complete<K extends WorkKind>(token: string, kind: K): Extract<Lease, { kind: K }> {
    return this.#leases.takeOf(token, kind);
  }

  /** Whether the worker that has it sends its result again where that could not be written. */
  isKept(token: string): boolean {
    return this.#leases.isKept(token);
  }

  /** What was completed is. */
  commit(): void {
    this.#leases.commit();
  }

  /** Completions came to nothing: workers have again what they had. */
  rollback(): void {
    this.#leases.rollback();
  }

  /** All instances are read from the store again. What workers hold of them is to be resumed. */
  reload(): HeldLeases {
    this.#matcher.clear();
    return new HeldLeases(this.#leases);
  }

  /** Takes a work item from its worker and puts it back into its queue; false if the token is stale. */
  giveBack(token: string, kind?: WorkKind): boolean {
    const lease = this.#leases.take(token, kind);
    if (lease === undefined) return false;

    this.#putBack([lease]);
    return true;
  }

  /** The same for a work item that its worker does not want: others get it first, and it rests if none does. */
  abandon(token: string, kind?: WorkKind): boolean {
    const lease = this.#leases.take(token, kind);
    if (lease === undefined) return false;

    this.#putBackLater([lease], this.#readiness.refuse(lease));
    return true;
  }

  /** Takes work items from workers that have gone; they rest, longer each time. */
  #takeBack(held: readonly HeldItem[]): void {
    if (this.#closed) return;

    const taken = this.#takeHeld(held);
    this.#redelivered += taken.length;
    for (const [restMs, leases] of Map.groupBy(taken, (lease) => this.#readiness.lose(lease)))
      this.#putBackLater(leases, restMs);
  }

  /** A connection may have work items of other hubs, and the hub may have taken some of them back meanwhile. */
  #takeHeld(held: readonly HeldItem[]): Lease[] {
    return held.map(({ token }) => this.#leases.take(token)).filter((lease) => lease !== undefined);
  }

  #putBackLater(leases: readonly Lease[], restMs: number): void {
    if (restMs === 0) {
      this.#putBack(leases);
      return;
    }
    const count = (change: 1 | -1): void => {
      for (const { kind } of leases) this.#resting[kind] += change;
    };
    count(1);
    this.#clock.after(restMs, () => {
      count(-1);
      if (!this.#closed) this.#putBack(leases);
    });
    // Workers have room for something else.
    this.pump();
  }

  #putBack(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const { instance } = lease;
      if (lease.kind === "activity") {
        this.#readiness.enqueueTask(instance, lease.executionId, lease.taskId);
      } else {
        instance.dispatch.giveBack();
        this.#readiness.consider(instance);
      }
    }
    this.pump();
  }

  /** Ends all streams. */
  close(): void {
    this.#closed = true;
    this.#cancelAsking?.();
    for (const worker of this.#matcher.workers) worker.end();

    this.#matcher.close();
  }
}
