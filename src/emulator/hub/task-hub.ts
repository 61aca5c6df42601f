import type { Backlog } from "../../protocol/admin.js";
import { ClientCommands, type Answer } from "./client-commands.js";
import { Completions, type ActivityCompletion, type EpisodeCompletion } from "./completions.js";
import { Dispatch } from "../dispatch/dispatch.js";
import type { HubContext } from "./hub-context.js";
import { InstanceTable } from "./instance-table.js";
import { instanceIdFault } from "../limits/limits.js";
import type { SchedulerLimits } from "../limits/scheduler-limits.js";
import { Purge } from "./purge.js";
import { Relations } from "./relations.js";
import { ResultCounters, type ResultCounter } from "./result-counters.js";
import { RpcError } from "../../protocol/rpc-error.js";
import type { ActiveInstance, InstanceRow, ScheduledTask } from "../store/store.js";
import type { WorkKind } from "../dispatch/work.js";
import type { HeldItem, Worker } from "../dispatch/worker.js";

/**
 * One task hub: its instances that have not ended, what is leased to whom, and what is ready.
 *
 * What changes the store runs as a command of the group commit: it changes memory and store together, and its effects
 * (answers, work items) leave the process once that is on disk. A turn that was rolled back is undone by `reload`.
 */
export class TaskHub {
  readonly #context: HubContext;
  readonly #dispatch: Dispatch;
  readonly #instances: InstanceTable;
  readonly #completions: Completions;
  readonly clients: ClientCommands;
  readonly purge: Purge;
  readonly #counters = new ResultCounters();
  /** Calls that wait for an instance, by its id. */
  readonly #watchers = new Map<string, Set<() => void>>();
  #closed = false;
  /** Ends of orchestrations and results of activities since the emulator started: each counted with its OK. */
  orchestrationsEnded = 0;
  activitiesCompleted = 0;

  constructor(
    readonly name: string,
    context: HubContext,
  ) {
    this.#context = context;
    this.#dispatch = new Dispatch(context);
    this.#instances = new InstanceTable(name, context, this.#dispatch);
    const limits = context.limits.ofHub(name);
    const relations = new Relations(name, context, this.#instances, limits);
    this.#completions = new Completions(context, this.#instances, relations, this.#dispatch, limits);
    this.clients = new ClientCommands(name, context, this.#instances, relations, limits);
    this.purge = new Purge(name, context);
  }

  get workerCount(): number {
    return this.#dispatch.workerCount;
  }

  /** Workers that take work of this orchestrator, without a version. */
  workersFor(orchestrator: string): number {
    return this.#dispatch.workersFor(orchestrator);
  }

  /** Milliseconds since the hub had a worker; 0 while it has one. */
  get workerlessMs(): number {
    return this.#dispatch.workerlessMs;
  }

  /** Work items dispatched again because their worker had gone. */
  get redelivered(): number {
    return this.#dispatch.redelivered;
  }

  /** What is to be done. It looks at each item that waits. */
  backlog(kind: WorkKind): Backlog {
    return this.#dispatch.backlog(kind);
  }

  /** Instances that have not ended. */
  get inFlight(): number {
    return this.#instances.size;
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
      // Once it was empty, others may have been put in its place.
      if (watchers.size === 0 && this.#watchers.get(instanceId) === watchers) this.#watchers.delete(instanceId);
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
    this.#dispatch.addWorker(worker);
  }

  cancelWorker(worker: Worker): void {
    this.#dispatch.cancelWorker(worker);
  }

  unblockWorker(worker: Worker): void {
    this.#dispatch.unblockWorker(worker);
  }

  /** Stops sending to the workers of that id and ends their streams, behind all that was sent. */
  drainWorkers(id: string): void {
    if (this.#dispatch.dismissWorkers(id) === 0)
      throw new RpcError("NOT_FOUND", `Task hub '${this.name}' has no worker '${id}'.`);
  }

  /** The same for all of them. */
  dismissWorkers(): void {
    this.#dispatch.dismissWorkers();
  }

  /** Takes a work item from its worker and puts it back into its queue; false if the token is stale, or of another kind. */
  giveBack(token: string, kind?: WorkKind): boolean {
    return this.#dispatch.giveBack(token, kind);
  }

  /** The same for a work item that its worker does not want. */
  abandon(token: string, kind?: WorkKind): boolean {
    return this.#dispatch.abandon(token, kind);
  }

  /** A connection has gone: its workers with it, and all that they held goes back to its queue. */
  disconnect(items: ReadonlySet<HeldItem>): void {
    this.#dispatch.disconnect(items);
  }

  completeActivity(token: string, completion: ActivityCompletion, answer: Answer<void>): void {
    this.#context.commits.submit(
      () => {
        const lease = this.#dispatch.complete(token, "activity");
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
      () => this.#completions.episode(this.#dispatch.complete(token, "episode"), completion),
      this.#orGiveBack(token, (error, ended) => {
        this.orchestrationsEnded += ended === true ? 1 : 0;
        answer(error, undefined);
      }),
    );
  }

  // Around the commit.

  /** Ends a turn that is committed; returns what sends what it made ready and tells those who wait, once it is on disk. */
  afterCommit(): () => void {
    this.#dispatch.commit();
    const release = this.#instances.afterCommit();
    const count = this.#counters.commit();
    return () => {
      const changed = release();
      count();
      this.#dispatch.pump();
      for (const id of changed) for (const watcher of this.#watchers.get(id) ?? []) watcher();
    };
  }

  /** The store has taken back what this turn changed: memory follows it. Also how a hub begins. */
  reload(active: Iterable<ActiveInstance>, detached: readonly ScheduledTask[]): void {
    this.#dispatch.rollback();
    this.#instances.reload(active, detached);
    this.#counters.rollback();
  }

  /** Ends all streams and timers. */
  close(): void {
    this.#closed = true;
    this.#instances.close();
    this.#dispatch.close();
  }

  /**
   * Workers of the SDKs drop a result whose completion was answered with an error, so its item has to be dispatched again.
   * Those of fanout keep it and send it again: the item stays theirs. That holds for an item that was completed as another, too.
   */
  #orGiveBack<T>(token: string, answer: Answer<T>): Answer<T> {
    return (error, value) => {
      answer(error, value);
      if (error !== undefined && !this.#dispatch.isKept(token)) this.giveBack(token);
    };
  }
}
