import { setAlarm } from "./alarm.js";
import type { GroupCommit } from "./group-commit.js";
import { executionStarted, frame, framedBytes, taskCompleted, taskFailed, timerFired, PAST_EVENT } from "./history.js";
import { Instance, newExecutionId } from "./instance.js";
import type { EpisodeLease, Lease, LeaseTable } from "./leases.js";
import { applyActions, type Action, type End } from "./orchestration.js";
import { RpcError } from "./rpc-error.js";
import type { Scheduler } from "./scheduler.js";
import { Status } from "./status.js";
import type { ActiveInstance, Store } from "./store.js";
import type { StringValueBytes } from "./wire.js";

/** What a task hub shares with the others of its emulator. */
export interface HubContext {
  readonly store: Store;
  readonly commits: GroupCommit;
  /** Microseconds since the epoch. */
  readonly clock: () => number;
  /** A completion token that no other lease of this or an earlier process has. ASCII. */
  readonly newToken: () => string;
  /** How long an episode waits for more results at most, milliseconds; undefined: as `HoldPolicy` has it. */
  readonly mostHoldMs?: number | undefined;
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
  readonly actions: readonly Action[];
  readonly customStatus: StringValueBytes | undefined;
}

export interface ActivityCompletion {
  readonly result: StringValueBytes | undefined;
  readonly failure: Uint8Array | undefined;
}

/**
 * The instances of a hub that have not ended. What changes them changes the store with them, so all of it runs inside
 * a command of the group commit, but for `reload`, which undoes a turn that was rolled back.
 */
export class InstanceTable {
  readonly #taskHub: string;
  readonly #context: HubContext;
  readonly #leases: LeaseTable;
  readonly #scheduler: Scheduler;
  readonly #instances = new Map<string, Instance>();
  #turn = newTurn();

  constructor(taskHub: string, context: HubContext, leases: LeaseTable, scheduler: Scheduler) {
    this.#taskHub = taskHub;
    this.#context = context;
    this.#leases = leases;
    this.#scheduler = scheduler;
  }

  get(instanceId: string): Instance | undefined {
    return this.#instances.get(instanceId);
  }

  get size(): number {
    return this.#instances.size;
  }

  values(): Iterable<Instance> {
    return this.#instances.values();
  }

  /** Throws ALREADY_EXISTS if the hub has an instance of that id. */
  start(request: StartRequest): void {
    const createdUs = this.#context.clock();
    const executionId = request.executionId ?? newExecutionId();
    const { instanceId, name, version, input, scheduledStartUs } = request;
    const taskHub = this.#taskHub;
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
  }

  /** Adds an event to what the next episode takes in. */
  receive(instance: Instance, event: Uint8Array): void {
    this.#context.store.appendWaiting(instance.key, instance.receive(event));
    this.#touch(instance);
  }

  /** Takes in the outcome of an activity; true if it is a result, and one that the instance has waited for. */
  completeActivity(lease: Extract<Lease, { kind: "activity" }>, { result, failure }: ActivityCompletion): boolean {
    const { instance, taskId, executionId } = lease;
    const succeeded = failure === undefined;
    if (instance.ended || executionId !== instance.executionId || !instance.state.completeTask(taskId, succeeded)) {
      return false;
    }
    const nowUs = this.#context.clock();
    const event = succeeded ? taskCompleted(taskId, result, nowUs) : taskFailed(taskId, failure, nowUs);
    this.receive(instance, event);
    return succeeded;
  }

  /** Takes in what an episode decided: its actions, and the end if it is one; true if the instance has ended by it. */
  completeEpisode(lease: EpisodeLease, completion: EpisodeCompletion): boolean {
    const { instance } = lease;
    if (instance.ended) {
      return false;
    }
    const nowUs = this.#context.clock();
    const taken = instance.takeWaiting(lease);
    this.#turn.processed.push(instance);
    const { end, events, taskIds, timerIds } = applyActions(instance.state, completion.actions, nowUs);
    this.#scheduler.learn(lease, events.length > 0 || end !== undefined);
    if (end?.status === Status.ContinuedAsNew) {
      this.#continueAsNew(instance, end, completion.customStatus, nowUs);
      return false;
    }
    const processed = [lease.started, ...taken];
    if (lease.worker.remembersHistory) {
      instance.remembered = { worker: lease.worker, bytes: instance.history.length + framedBytes(processed) };
    }
    const history = frame(PAST_EVENT, [...processed, ...events]);
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
      tasksCompleted: instance.tasksProcessed,
    });
    this.#setStatus(instance, status);
    if (end !== undefined) {
      instance.stop();
      this.#scheduler.dispatcher.leaveHome(instance);
      this.#instances.delete(instance.id);
      return true;
    }
    instance.append(history);
    this.#touch(instance);
    for (const taskId of taskIds) {
      this.#turn.tasks.push({ instance, taskId });
    }
    for (const timerId of timerIds) {
      this.#setTimer(instance, timerId, instance.state.timers.get(timerId)!);
    }
    return false;
  }

  /**
   * Ends a turn that is committed. What it returns is for when that is on disk: it makes ready what the turn gave a reason
   * to, and returns the ids of the instances whose status it changed.
   */
  afterCommit(): () => ReadonlySet<string> {
    const { touched, processed, tasks, changed } = this.#turn;
    this.#turn = newTurn();
    return () => {
      for (const { instance, taskId } of tasks) {
        this.#scheduler.enqueueTask(instance, taskId);
      }
      for (const instance of processed) {
        instance.episode = "idle";
      }
      for (const [instance, lastSeq] of touched) {
        instance.settle(lastSeq);
        this.#scheduler.consider(instance);
      }
      return changed;
    };
  }

  /** Forgets what is in memory and takes up what is in the store. What workers hold stays theirs if it still counts. */
  reload(active: Iterable<ActiveInstance>): void {
    for (const instance of this.#instances.values()) {
      this.#scheduler.dispatcher.leaveHome(instance);
      instance.stop();
    }
    this.#instances.clear();
    this.#scheduler.dispatcher.clear();
    this.#turn = newTurn();
    const leases = Map.groupBy(this.#leases.takeAll(), (lease) => lease.instance.key);
    for (const each of active) {
      this.#resume(this.#add(each), leases.get(each.row.key) ?? []);
    }
  }

  /** Stops all timers. */
  close(): void {
    for (const instance of this.#instances.values()) {
      instance.stop();
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
      this.#turn.tasks.push({ instance, taskId });
    }
    for (const [timerId, fireAtUs] of instance.state.timers) {
      this.#setTimer(instance, timerId, fireAtUs);
    }
  }

  #add(active: ActiveInstance): Instance {
    const instance = new Instance(active);
    this.#scheduler.welcome(instance);
    this.#instances.set(instance.id, instance);
    this.#touch(instance);
    return instance;
  }

  #touch(instance: Instance): void {
    this.#turn.touched.set(instance, instance.lastSeq);
  }

  #setStatus(instance: Instance, status: number): void {
    if (instance.status !== status) {
      instance.status = status;
      this.#turn.changed.add(instance.id);
    }
  }

  #continueAsNew(instance: Instance, end: End, customStatus: StringValueBytes | undefined, nowUs: number): void {
    const executionId = newExecutionId();
    const kept = instance.continueAsNew(executionId, end.newVersion);
    this.#context.store.restart(instance.key, {
      executionId,
      version: end.newVersion,
      input: end.result,
      tasksCompleted: instance.tasksCompleted,
      updatedUs: nowUs,
      status: Status.Running,
      customStatus,
    });
    this.#setStatus(instance, Status.Running);
    const { id: instanceId, name, version } = instance;
    const started = executionStarted(
      { instanceId, executionId, name, version, input: end.result, scheduledStartUs: 0, ...NO_CONTEXT },
      nowUs,
    );
    for (const event of [started, ...end.carryoverEvents, ...kept]) {
      this.receive(instance, event);
    }
  }

  #setTimer(instance: Instance, timerId: number, fireAtUs: number): void {
    const fire = (): void => {
      instance.dropAlarm(timerId);
      if (!instance.ended && instance.state.timers.delete(timerId)) {
        this.receive(instance, timerFired(timerId, fireAtUs, this.#context.clock()));
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

/** What a turn did that somebody has to hear of when it is on disk. */
interface Turn {
  /** Instances that it gave something to do, and the `seq` of the last event that each of them had received then. */
  readonly touched: Map<Instance, number>;
  /** Those whose episode it completed. */
  readonly processed: Instance[];
  /** Activities that it scheduled. */
  readonly tasks: { readonly instance: Instance; readonly taskId: number }[];
  /** Ids of the instances whose status it changed. */
  readonly changed: Set<string>;
}

function newTurn(): Turn {
  return { touched: new Map(), processed: [], tasks: [], changed: new Set() };
}

const NO_CONTEXT = { traceContext: undefined, tags: [] };
