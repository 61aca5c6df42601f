import type { Backlog } from "../../protocol/admin.js";
import { ClientCommands, type Answer } from "./client-commands.js";
import { Completions, type ActivityCompletion, type EpisodeCompletion } from "./completions.js";
import { InstanceTable, type HubContext } from "./instance-table.js";
import { instanceIdFault } from "../limits/limits.js";
import type { SchedulerLimits } from "../limits/scheduler-limits.js";
import { LeaseTable, type Lease } from "../dispatch/leases.js";
import { Purge } from "./purge.js";
import { Relations } from "./relations.js";
import { ResultCounters, type ResultCounter } from "./result-counters.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { Scheduler } from "../dispatch/scheduler.js";
import type { ActiveInstance, InstanceRow, ScheduledTask } from "../store/store.js";
import type { Worker } from "../dispatch/worker.js";

/**
 * How long a worker whose stream has ended may finish its episodes, milliseconds. They are short: who is not done by then
 * has forgotten them. Activities stay with it as long as its connection lives, since they may honestly take hours.
 */
const EPISODE_PATIENCE_MS = 30_000;

/**
 * One task hub: its instances that have not ended, what is leased to whom, and what is ready.
 *
 * What changes the store runs as a command of the group commit: it changes memory and store together, and its effects
 * (answers, work items) leave the process once that is on disk. A turn that was rolled back is undone by `reload`.
 */
export class TaskHub {
  readonly #context: HubContext;
  readonly #leases = new LeaseTable();
  readonly #scheduler: Scheduler;
  readonly #instances: InstanceTable;
  readonly #completions: Completions;
  readonly clients: ClientCommands;
  readonly purge: Purge;
  readonly #counters = new ResultCounters();
  /** Calls that wait for an instance, by its id. */
  readonly #watchers = new Map<string, Set<() => void>>();
  #workerlessSinceMs: number | undefined;
  #closed = false;
  /** Work items dispatched again because their worker had gone. */
  redelivered = 0;
  /** Work items that came back from workers and rest. */
  readonly #resting: Record<Lease["kind"], number> = { episode: 0, activity: 0 };
  /** Ends of orchestrations and results of activities since the emulator started: each counted with its OK. */
  orchestrationsEnded = 0;
  activitiesCompleted = 0;

  constructor(
    readonly name: string,
    context: HubContext,
  ) {
    this.#context = context;
    this.#workerlessSinceMs = context.clock.steadyMs();
    this.#scheduler = new Scheduler(this.#leases, context.clock, context.newToken, context.mostHoldMs);
    this.#instances = new InstanceTable(name, context, this.#leases, this.#scheduler);
    const limits = context.limits.ofHub(name);
    const relations = new Relations(name, context, this.#instances, limits);
    this.#completions = new Completions(context, this.#instances, relations, this.#scheduler, limits);
    this.clients = new ClientCommands(name, context, this.#instances, relations, limits);
    this.purge = new Purge(name, context);
  }

  get workerCount(): number {
    return this.#scheduler.dispatcher.workers.size;
  }

  /** Workers that take work of this orchestrator, without a version. */
  workersFor(orchestrator: string): number {
    const work = { name: orchestrator, version: "" };
    return [...this.#scheduler.dispatcher.workers].filter((worker) => worker.takes("episode", work)).length;
  }

  /** Instances that have not ended. */
  get inFlight(): number {
    return this.#instances.size;
  }

  /** Milliseconds since the hub had a worker; 0 while it has one. */
  get workerlessMs(): number {
    return this.#workerlessSinceMs === undefined ? 0 : this.#context.clock.steadyMs() - this.#workerlessSinceMs;
  }

  /** What is to be done. It looks at each item that waits. */
  backlog(kind: Lease["kind"]): Backlog {
    return {
      waiting: this.#scheduler.dispatcher.countWaiting(kind),
      withWorkers: this.#leases.count(kind),
      resting: this.#resting[kind],
    };
  }

  // Calls of clients.

  find(instanceId: string, payloads: boolean): InstanceRow | undefined {
    return this.#context.store.find(this.name, instanceId, payloads);
  }

  /**
   * What was there before ids had a limit is still found.
   * @throws RpcError for an id that no instance can have
   */
  checkId(instanceId: string): void {
    const fault = instanceIdFault(instanceId);
    if (fault !== undefined && !fault.isScheduler && this.find(instanceId, false) === undefined)
      throw new RpcError("INVALID_ARGUMENT", fault.text);
  }

  /** Payloads and ids of instances whose ids start so that a Scheduler would not take. */
  watchLimits(instanceIdPrefix: string, onFirst: () => void): ReturnType<SchedulerLimits["watch"]> {
    return this.#context.limits.watch(this.name, instanceIdPrefix, onFirst);
  }

  /**
   * Calls back, once, when the status of the instance satisfies the condition; at once if it does, or if no running
   * instance has that id. Returns what takes the call back.
   */
  waitFor(instanceId: string, condition: (status: number) => boolean, ready: () => void): () => void {
    const watchers = this.#watchers.get(instanceId) ?? new Set();
    const cancel = (): void => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.#watchers.delete(instanceId);
    };
    const watcher = (): void => {
      const instance = this.#instances.get(instanceId);
      if (instance === undefined || condition(instance.status)) {
        cancel();
        ready();
      }
    };
    watchers.add(watcher);
    this.#watchers.set(instanceId, watchers);
    watcher();
    return cancel;
  }

  /** Counts activity results of the instances whose ids start so, from those that they have. */
  countResults(instanceIdPrefix: string): { counter: Readonly<ResultCounter>; stop: () => void } {
    const counter = { instanceIdPrefix, count: 0 };
    for (const instance of this.#instances.values())
      counter.count += instance.id.startsWith(instanceIdPrefix) ? instance.tasksCompleted : 0;

    const remove = this.#counters.add(counter);
    let stopped = false;
    // What has ended may be a million: it is added part by part. What ends from now on is counted as it is now.
    const completedToUs = this.#context.clock.nowUs();
    const addEnded = (afterInstanceId: string): void => {
      const filter = { taskHub: this.name, instanceIdPrefix, afterInstanceId, completedToUs };
      const { sum, next } = this.#context.store.resultsOfEnded(filter);
      counter.count += sum;
      if (next !== undefined) {
        setImmediate(() => {
          if (!stopped && !this.#closed) addEnded(next);
        });
      }
    };
    addEnded("");
    const stop = (): void => {
      stopped = true;
      remove();
    };
    return { counter, stop };
  }

  /** Deletes all instances, those in flight included, turn by turn. */
  deleteAll(answer: Answer<void>): void {
    this.clients.discardAll((error) => {
      if (error === undefined) {
        this.purge.matching({ createdFromUs: 0, createdToUs: 0, statuses: [] }, false, (failure) => {
          answer(failure, undefined);
        });
      } else {
        answer(error, undefined);
      }
    });
  }

  // Calls of workers.

  addWorker(worker: Worker): void {
    this.#scheduler.dispatcher.addWorker(worker);
    this.#workerlessSinceMs = undefined;
    this.#scheduler.dispatcher.pump();
  }

  /** Its stream is over, or it is to get no more; what it holds stays leased to it, its episodes for a while. */
  removeWorker(worker: Worker): void {
    this.#remove(worker);
    if (worker.holds.episode > 0) {
      this.#context.clock.after(EPISODE_PATIENCE_MS, () => {
        const held = [...worker.connectionLeases].filter(
          (lease) => lease.worker === worker && lease.kind === "episode",
        );
        this.#takeBack(held);
      });
    }
  }

  #remove(worker: Worker): void {
    this.#scheduler.dispatcher.removeWorker(worker);
    if (this.workerCount === 0) this.#workerlessSinceMs ??= this.#context.clock.steadyMs();

    this.#scheduler.dispatcher.pump();
  }

  unblockWorker(worker: Worker): void {
    this.#scheduler.dispatcher.unblock(worker);
  }

  /** Stops sending to the workers of that id and ends their streams, behind all that was sent. */
  drainWorkers(id: string): void {
    const workers = [...this.#scheduler.dispatcher.workers].filter((worker) => worker.id === id);
    if (workers.length === 0) throw new RpcError("NOT_FOUND", `Task hub '${this.name}' has no worker '${id}'.`);

    this.#dismiss(workers);
  }

  /** The same for all of them. */
  dismissWorkers(): void {
    this.#dismiss([...this.#scheduler.dispatcher.workers]);
  }

  #dismiss(workers: readonly Worker[]): void {
    for (const worker of workers) {
      this.removeWorker(worker);
      worker.stream.end();
    }
  }

  /** Takes a work item from its worker and puts it back into its queue; false if the token is stale. */
  giveBack(token: string): boolean {
    const lease = this.#leases.take(token);
    if (lease === undefined) return false;

    this.#putBack([lease]);
    return true;
  }

  /** The same for a work item that its worker does not want: others get it first, and it rests if none does. */
  abandon(token: string): boolean {
    const lease = this.#leases.take(token);
    if (lease === undefined) return false;

    this.#putBackLater([lease], this.#scheduler.refuse(lease));
    return true;
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
    this.#context.clock.after(restMs, () => {
      count(-1);
      if (!this.#closed) this.#putBack(leases);
    });
    // Workers have room for something else.
    this.#scheduler.dispatcher.pump();
  }

  #putBack(leases: readonly Lease[]): void {
    for (const lease of leases) {
      const { instance } = lease;
      if (lease.kind === "activity") {
        this.#scheduler.enqueueTask(instance, lease.executionId, lease.taskId);
      } else {
        instance.episode = "idle";
        instance.urgent = true;
        // It is not known how far its worker came with it, and what it kept of the history.
        instance.remembered = undefined;
        this.#scheduler.consider(instance);
      }
    }
    this.#scheduler.dispatcher.pump();
  }

  /** A connection has gone: its workers with it, and all that they held goes back to its queue. */
  disconnect(leases: ReadonlySet<Lease>): void {
    for (const worker of this.#scheduler.dispatcher.workers)
      if (worker.connectionLeases === leases) this.#remove(worker);

    this.#takeBack([...leases]);
  }

  /** Takes work items from workers that have gone; they rest, longer each time. */
  #takeBack(held: readonly Lease[]): void {
    // A connection may have work items of other hubs, and the hub may have taken some of them back meanwhile.
    const taken = held.filter(({ token }) => !this.#closed && this.#leases.take(token) !== undefined);
    this.redelivered += taken.length;
    for (const [restMs, leases] of Map.groupBy(taken, (lease) => this.#scheduler.lose(lease)))
      this.#putBackLater(leases, restMs);
  }

  completeActivity(token: string, completion: ActivityCompletion, answer: Answer<void>): void {
    this.#context.commits.submit(
      () => {
        const lease = this.#leases.takeOf(token, "activity");
        const completed = this.#completions.activity(lease, completion);
        if (completed) this.#counters.record(lease.instance.id);

        return completed;
      },
      this.#orGiveBack(token, (error, completed) => {
        this.activitiesCompleted += completed === true ? 1 : 0;
        answer(error, undefined);
      }),
    );
  }

  completeEpisode(token: string, completion: EpisodeCompletion, answer: Answer<void>): void {
    this.#context.commits.submit(
      () => this.#completions.episode(this.#leases.takeOf(token, "episode"), completion),
      this.#orGiveBack(token, (error, ended) => {
        this.orchestrationsEnded += ended === true ? 1 : 0;
        answer(error, undefined);
      }),
    );
  }

  // Around the commit.

  /** Ends a turn that is committed; returns what sends what it made ready and tells those who wait, once it is on disk. */
  afterCommit(): () => void {
    this.#leases.commit();
    const release = this.#instances.afterCommit();
    const count = this.#counters.commit();
    return () => {
      const changed = release();
      count();
      this.#scheduler.dispatcher.pump();
      for (const id of changed) for (const watcher of this.#watchers.get(id) ?? []) watcher();
    };
  }

  /** The store has taken back what this turn changed: memory follows it. Also how a hub begins. */
  reload(active: Iterable<ActiveInstance>, detached: readonly ScheduledTask[]): void {
    this.#leases.rollback();
    this.#instances.reload(active, detached);
    this.#counters.rollback();
  }

  /** Ends all streams and timers. */
  close(): void {
    this.#closed = true;
    this.#instances.close();
    for (const worker of this.#scheduler.dispatcher.workers) worker.stream.end();

    this.#scheduler.dispatcher.close();
  }

  /**
   * Workers of the SDKs drop a result whose completion was answered with an error, so its item has to be dispatched again.
   * Those of fanout keep it and send it again: the item stays theirs.
   */
  #orGiveBack<T>(token: string, answer: Answer<T>): Answer<T> {
    return (error, value) => {
      answer(error, value);
      if (error !== undefined && !this.#leases.isKept(token)) this.giveBack(token);
    };
  }
}
