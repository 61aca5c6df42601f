import { setAlarm } from "./alarm.js";
import type { GroupCommit } from "./group-commit.js";
import {
  executionStarted,
  executionTerminated,
  frame,
  taskCompleted,
  taskFailed,
  timerFired,
  PAST_EVENT,
} from "./history.js";
import { Instance, newExecutionId } from "./instance.js";
import { LeaseTable, type EpisodeLease, type Lease } from "./leases.js";
import { applyActions, type End } from "./orchestration.js";
import { ResultCounters, type ResultCounter } from "./result-counters.js";
import { RpcError } from "./rpc-error.js";
import { Scheduler } from "./scheduler.js";
import { Status, isTerminal } from "./status.js";
import type { ActiveInstance, InstanceRow, Store } from "./store.js";
import type { StringValueBytes } from "./wire.js";
import type { Worker } from "./worker.js";

/** What a task hub shares with the others of its emulator. */
export interface HubContext {
  readonly store: Store;
  readonly commits: GroupCommit;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** A completion token that no other lease of this or an earlier process has. ASCII. */
  readonly newToken: () => string;
}

export interface StartRequest {
  readonly instanceId: string;
  readonly name: string;
  readonly version: StringValueBytes | undefined;
  readonly input: StringValueBytes | undefined;
  readonly executionId: string | undefined;
  /** Microseconds since the epoch; 0 means now. */
  readonly scheduledStartUs: number;
  readonly traceContext: Uint8Array | undefined;
  readonly tags: readonly Uint8Array[];
}

export interface EpisodeCompletion {
  readonly actions: readonly Uint8Array[];
  readonly customStatus: StringValueBytes | undefined;
}

export interface ActivityCompletion {
  readonly result: StringValueBytes | undefined;
  readonly failure: Uint8Array | undefined;
}

export type Answer<T> = (error: Error | undefined, value: T | undefined) => void;

/**
 * One task hub: its instances that have not ended, what is leased to whom, and what is ready.
 *
 * What changes the store runs as a command of the group commit: it changes memory and store together, and its effects
 * (answers, work items) leave the process behind the commit. A turn that was rolled back is undone by `reload`.
 */
export class TaskHub {
  readonly #context: HubContext;
  readonly #leases = new LeaseTable();
  readonly #scheduler: Scheduler;
  readonly #instances = new Map<string, Instance>();
  readonly #counters = new ResultCounters();
  /** Calls that wait for an instance, by its id. */
  readonly #watchers = new Map<string, Set<() => void>>();
  /** Instances that this turn gave something to do, and ids of those whose status it changed. */
  #touched = new Set<Instance>();
  #changed = new Set<string>();
  #workerlessSinceMs: number | undefined = performance.now();
  /** Work items dispatched again because the connection of their worker had gone. */
  redelivered = 0;

  constructor(
    readonly name: string,
    context: HubContext,
  ) {
    this.#context = context;
    this.#scheduler = new Scheduler(this.#leases, context.clock, context.newToken);
  }

  get workerCount(): number {
    return this.#scheduler.dispatcher.workers.size;
  }

  /** Milliseconds since the hub had a worker; 0 while it has one. */
  get workerlessMs(): number {
    return this.#workerlessSinceMs === undefined ? 0 : performance.now() - this.#workerlessSinceMs;
  }

  // Calls of clients.

  start(request: StartRequest, answer: Answer<string>): void {
    this.#context.commits.submit(() => {
      const createdUs = this.#context.clock();
      const executionId = request.executionId ?? newExecutionId();
      const { instanceId, name, version, input, scheduledStartUs } = request;
      const taskHub = this.name;
      const status = Status.Pending;
      const row = { taskHub, instanceId, executionId, name, version, status, createdUs, scheduledStartUs, input };
      const key = this.#context.store.insertInstance(row);
      if (key === undefined) {
        throw new RpcError("ALREADY_EXISTS", `An instance '${instanceId}' already exists in task hub '${taskHub}'.`);
      }
      const waiting = { seq: 1, event: executionStarted({ ...request, executionId }, createdUs) };
      this.#context.store.appendWaiting(key, waiting);
      this.#add({
        row: { ...row, key, tasksCompleted: 0 },
        history: new Uint8Array(0),
        nextHistorySeq: 0,
        waiting: [waiting],
      });
      return instanceId;
    }, answer);
  }

  find(instanceId: string, payloads: boolean): InstanceRow | undefined {
    return this.#context.store.find(this.name, instanceId, payloads);
  }

  /**
   * Calls back, once, when the status of the instance satisfies the condition; at once if it does, or if no running
   * instance has that id. Returns what takes the call back.
   */
  waitFor(instanceId: string, condition: (status: number) => boolean, ready: () => void): () => void {
    const watchers = this.#watchers.get(instanceId) ?? new Set();
    const cancel = (): void => {
      watchers.delete(watcher);
      if (watchers.size === 0) {
        this.#watchers.delete(instanceId);
      }
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

  terminate(instanceId: string, output: StringValueBytes | undefined, answer: Answer<void>): void {
    this.#context.commits.submit(() => {
      const instance = this.#instances.get(instanceId);
      if (instance !== undefined) {
        this.#receive(instance, executionTerminated(output, false, this.#context.clock()), "urgent");
      } else if (this.find(instanceId, false) === undefined) {
        throw new RpcError("NOT_FOUND", `There is no instance '${instanceId}' in task hub '${this.name}'.`);
      }
    }, answer);
  }

  /** Deletes those of the instances that have ended; answers how many. */
  purge(instanceIds: readonly string[], answer: Answer<number>): void {
    this.#context.commits.submit(() => {
      let purged = 0;
      for (const id of instanceIds) {
        const row = this.find(id, false);
        if (row !== undefined && isTerminal(row.status)) {
          this.#context.store.deleteInstance(row.key);
          purged += 1;
        }
      }
      return purged;
    }, answer);
  }

  /** Counts activity results of the instances whose ids start so, from those that they have. */
  countResults(instanceIdPrefix: string): { counter: Readonly<ResultCounter>; stop: () => void } {
    let count = this.#context.store.tasksCompletedByEnded(this.name, instanceIdPrefix);
    for (const instance of this.#instances.values()) {
      count += instance.id.startsWith(instanceIdPrefix) ? instance.tasksCompleted : 0;
    }
    const counter = { instanceIdPrefix, count };
    return { counter, stop: this.#counters.add(counter) };
  }

  // Calls of workers.

  addWorker(worker: Worker): void {
    this.#scheduler.dispatcher.addWorker(worker);
    this.#workerlessSinceMs = undefined;
    this.#scheduler.dispatcher.pump();
  }

  /** Its stream is over, or it is to get no more; what it holds stays leased to it. */
  removeWorker(worker: Worker): void {
    this.#scheduler.dispatcher.removeWorker(worker);
    if (this.workerCount === 0) {
      this.#workerlessSinceMs ??= performance.now();
    }
    this.#scheduler.dispatcher.pump();
  }

  unblockWorker(worker: Worker): void {
    this.#scheduler.dispatcher.unblock(worker);
  }

  /** Stops sending to the workers of that id and ends their streams, behind all that was sent. */
  drainWorkers(id: string): void {
    const workers = [...this.#scheduler.dispatcher.workers].filter((worker) => worker.id === id);
    if (workers.length === 0) {
      throw new RpcError("NOT_FOUND", `Task hub '${this.name}' has no worker '${id}'.`);
    }
    for (const worker of workers) {
      this.removeWorker(worker);
      worker.stream.end();
    }
  }

  /** Takes a work item from its worker and puts it back into its queue; false if the token is stale. */
  giveBack(token: string): boolean {
    const lease = this.#leases.take(token);
    if (lease === undefined) {
      return false;
    }
    const { instance } = lease;
    if (lease.kind === "activity") {
      if (lease.executionId === instance.executionId) {
        this.#scheduler.enqueueTask(instance, lease.taskId);
      }
    } else {
      instance.episode = "idle";
      instance.urgent = true;
      this.#scheduler.consider(instance);
    }
    this.#scheduler.dispatcher.pump();
    return true;
  }

  /** A connection has gone: its workers with it, and all that they held goes back to its queue. */
  disconnect(leases: ReadonlySet<Lease>): void {
    for (const worker of this.#scheduler.dispatcher.workers) {
      if (worker.connectionLeases === leases) {
        this.removeWorker(worker);
      }
    }
    for (const { token } of leases) {
      if (this.giveBack(token)) {
        this.redelivered += 1;
      }
    }
  }

  completeActivity(token: string, { result, failure }: ActivityCompletion, answer: Answer<void>): void {
    this.#context.commits.submit(
      () => {
        const { instance, taskId, executionId } = this.#leases.takeOf(token, "activity");
        if (instance.ended || executionId !== instance.executionId || !instance.state.completeTask(taskId)) {
          return;
        }
        const nowUs = this.#context.clock();
        const event = failure === undefined ? taskCompleted(taskId, result, nowUs) : taskFailed(taskId, failure, nowUs);
        this.#receive(instance, event, "held");
        this.#counters.record(instance.id);
      },
      this.#orGiveBack(token, answer),
    );
  }

  completeEpisode(token: string, completion: EpisodeCompletion, answer: Answer<void>): void {
    this.#context.commits.submit(
      () => {
        const lease = this.#leases.takeOf(token, "episode");
        if (!lease.instance.ended) {
          this.#applyEpisode(lease, completion);
        }
      },
      this.#orGiveBack(token, answer),
    );
  }

  // Around the commit.

  /** Sends what the committed turn made ready, and tells those who wait. */
  afterCommit(): void {
    const touched = this.#touched;
    const changed = this.#changed;
    this.#touched = new Set();
    this.#changed = new Set();
    this.#counters.commit();
    for (const instance of touched) {
      this.#scheduler.consider(instance);
    }
    this.#scheduler.dispatcher.pump();
    for (const id of changed) {
      for (const watcher of this.#watchers.get(id) ?? []) {
        watcher();
      }
    }
  }

  /** Forgets what is in memory and takes up what is in the store. What workers hold stays theirs if it still counts. */
  reload(active: Iterable<ActiveInstance>): void {
    for (const instance of this.#instances.values()) {
      this.#scheduler.dispatcher.leaveHome(instance);
      instance.stop();
    }
    this.#instances.clear();
    this.#scheduler.dispatcher.clear();
    this.#touched.clear();
    this.#counters.rollback();
    const leases = Map.groupBy(this.#leases.takeAll(), (lease) => lease.instance.key);
    for (const each of active) {
      this.#resume(this.#add(each), leases.get(each.row.key) ?? []);
    }
  }

  close(): void {
    for (const instance of this.#instances.values()) {
      instance.stop();
    }
    for (const worker of this.#scheduler.dispatcher.workers) {
      worker.stream.end();
    }
  }

  #resume(instance: Instance, leases: readonly Lease[]): void {
    const ready = new Set(instance.state.tasks.keys());
    for (const lease of leases) {
      if (lease.kind === "episode") {
        instance.episode = "leased";
        this.#leases.grant({ ...lease, instance });
      } else if (lease.executionId === instance.executionId && ready.delete(lease.taskId)) {
        this.#leases.grant({ ...lease, instance });
      }
    }
    for (const taskId of ready) {
      this.#scheduler.enqueueTask(instance, taskId);
    }
    for (const [timerId, fireAtUs] of instance.state.timers) {
      this.#setTimer(instance, timerId, fireAtUs);
    }
  }

  #add(active: ActiveInstance): Instance {
    const instance = new Instance(active);
    this.#scheduler.welcome(instance);
    this.#instances.set(instance.id, instance);
    this.#touched.add(instance);
    return instance;
  }

  #receive(instance: Instance, event: Uint8Array, urgency: "held" | "urgent"): void {
    this.#context.store.appendWaiting(instance.key, instance.receive(event, urgency));
    this.#touched.add(instance);
  }

  /** A worker drops a result whose completion was answered with an error, so its item has to be dispatched again. */
  #orGiveBack(token: string, answer: Answer<void>): Answer<void> {
    return (error, value) => {
      answer(error, value);
      if (error !== undefined) {
        this.giveBack(token);
      }
    };
  }

  #applyEpisode(lease: EpisodeLease, completion: EpisodeCompletion): void {
    const { instance } = lease;
    const nowUs = this.#context.clock();
    const taken = instance.takeWaiting(lease);
    const { end, events, taskIds, timerIds } = applyActions(instance.state, completion.actions, nowUs);
    this.#scheduler.learn(lease, events.length > 0 || end !== undefined);
    if (end?.status === Status.ContinuedAsNew) {
      this.#continueAsNew(instance, end, nowUs);
      return;
    }
    const history = frame(PAST_EVENT, [lease.started, ...taken, ...events]);
    const status = end?.status ?? Status.Running;
    this.#context.store.applyEpisode(instance.key, {
      processedSeq: instance.processedSeq,
      historySeq: instance.nextHistorySeq,
      history,
      status,
      updatedUs: nowUs,
      completedUs: end === undefined ? 0 : nowUs,
      output: end?.result,
      failure: end?.failure,
      customStatus: completion.customStatus,
      tasksCompleted: instance.tasksCompleted - instance.waitingResults,
    });
    if (instance.status !== status) {
      instance.status = status;
      this.#changed.add(instance.id);
    }
    if (end !== undefined) {
      instance.stop();
      this.#scheduler.dispatcher.leaveHome(instance);
      this.#instances.delete(instance.id);
      return;
    }
    instance.append(history);
    this.#touched.add(instance);
    for (const taskId of taskIds) {
      this.#scheduler.enqueueTask(instance, taskId);
    }
    for (const timerId of timerIds) {
      this.#setTimer(instance, timerId, instance.state.timers.get(timerId)!);
    }
  }

  #continueAsNew(instance: Instance, end: End, nowUs: number): void {
    const executionId = newExecutionId();
    const kept = instance.continueAsNew(executionId, end.newVersion);
    this.#context.store.restart(instance.key, {
      executionId,
      version: end.newVersion,
      input: end.result,
      tasksCompleted: instance.tasksCompleted,
      updatedUs: nowUs,
    });
    const { id: instanceId, name, version } = instance;
    const started = executionStarted(
      { instanceId, executionId, name, version, input: end.result, scheduledStartUs: 0, ...NO_CONTEXT },
      nowUs,
    );
    for (const event of [started, ...end.carryoverEvents, ...kept]) {
      this.#receive(instance, event, "urgent");
    }
  }

  #setTimer(instance: Instance, timerId: number, fireAtUs: number): void {
    const fire = (): void => {
      if (!instance.ended && instance.state.timers.delete(timerId)) {
        this.#receive(instance, timerFired(timerId, fireAtUs, this.#context.clock()), "urgent");
      }
    };
    const delayMs = (fireAtUs - this.#context.clock()) / 1000;
    const cancel = setAlarm(delayMs, () => {
      // A turn that could not be written is undone by `reload`, which sets the timer anew.
      this.#context.commits.submit(fire, () => {});
    });
    instance.setAlarm(timerId, cancel);
  }
}

const NO_CONTEXT = { traceContext: undefined, tags: [] };
