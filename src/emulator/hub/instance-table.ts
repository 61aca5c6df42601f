import type { Dispatch } from "../dispatch/dispatch.js";
import { DispatchedInstance } from "../dispatch/dispatched-instance.js";
import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { errorText } from "../../format/error-text.js";
import { executionStarted, taskScheduled, timerFired, viewEvent } from "../../protocol/history-event.js";
import { endedInstance } from "./detached-tasks.js";
import type { HeldLeases } from "../dispatch/held-leases.js";
import { newExecutionId } from "../instance/instance.js";
import type { HubContext } from "./hub-context.js";
import { readTaskScheduled } from "../../protocol/orchestrator-actions.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { Status } from "../../protocol/orchestration-status.js";
import { StoreError, type ActiveInstance, type DetachedTask, type ScheduledTask } from "../store/store.js";
import { Timers } from "./timers.js";
import { newTurn } from "./turn.js";
import { checkTexts, type StringValueBytes } from "../../protocol/wire.js";

export interface Start {
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

/** The instance that starts a sub-orchestration, and its ParentInstanceInfo. */
export interface Parent {
  readonly parentId: string;
  readonly parent: Uint8Array;
}

/**
 * The instances of a hub that have not ended. What changes them changes the store with them, so all of it runs inside
 * a command of the group commit, but for `reload`, which undoes a turn that was rolled back.
 */
export class InstanceTable {
  readonly #taskHub: string;
  readonly #context: HubContext;
  readonly #dispatch: Dispatch;
  readonly #timers: Timers;
  readonly #instances = new Map<string, DispatchedInstance>();
  /** Those with activities that nobody waits for; most of them have ended. */
  readonly #detaching = new Set<DispatchedInstance>();
  #turn = newTurn();

  constructor(taskHub: string, context: HubContext, dispatch: Dispatch) {
    this.#taskHub = taskHub;
    this.#context = context;
    this.#dispatch = dispatch;
    this.#timers = new Timers(context, (instance, timerId, fireAtUs) => {
      this.receive(instance, timerFired(timerId, fireAtUs, context.clock.nowUs()));
    });
  }

  get(instanceId: string): DispatchedInstance | undefined {
    return this.#instances.get(instanceId);
  }

  get size(): number {
    return this.#instances.size;
  }

  values(): Iterable<DispatchedInstance> {
    return this.#instances.values();
  }

  /** Throws ALREADY_EXISTS if the hub has an instance of that id. */
  start(start: Start, parent?: Parent): void {
    const createdUs = this.#context.clock.nowUs();
    const executionId = start.executionId ?? newExecutionId();
    const row = {
      taskHub: this.#taskHub,
      instanceId: start.instanceId,
      executionId,
      name: start.name,
      version: start.version,
      status: Status.Pending,
      createdUs,
      scheduledStartUs: start.scheduledStartUs,
      input: start.input,
      parentId: parent?.parentId,
      parent: parent?.parent,
      tags: start.tags,
    };
    const key = this.#context.store.insertInstance(row);
    if (key === undefined) {
      throw new RpcError(
        "ALREADY_EXISTS",
        `An instance '${start.instanceId}' already exists in task hub '${this.#taskHub}'.`,
      );
    }
    const event = executionStarted({ ...start, executionId, parent: parent?.parent }, createdUs);
    const waiting = { seq: 1, event };
    this.#context.store.appendWaiting(key, waiting);
    this.#add({
      row: { ...row, key, tasksCompleted: 0, trace: undefined },
      history: EMPTY_BYTES,
      nextHistorySeq: 0,
      waiting: [waiting],
    });
  }

  /** Takes an instance that had ended back in. */
  reopen(key: number): DispatchedInstance {
    this.#context.store.reopen(key, this.#context.clock.nowUs());
    const active = this.#context.store.activeOne(key);
    this.#turn.changed.add(active.row.instanceId);
    return this.#add(active);
  }

  /** It has ended, or is about to be deleted: what still comes for it means nothing any more. */
  remove(instance: DispatchedInstance): void {
    instance.stop();
    this.#instances.delete(instance.id);
    this.#turn.changed.add(instance.id);
  }

  /** Adds an event to what the next episode takes in. */
  receive(instance: DispatchedInstance, event: Uint8Array): void {
    this.#context.store.appendWaiting(instance.key, instance.receive(event));
    this.touch(instance);
  }

  /** Something of it has changed that may make its next episode ready. */
  touch(instance: DispatchedInstance): void {
    this.#turn.touched.set(instance, instance.lastSeq);
  }

  /** Its episode is over. */
  episodeEnded(instance: DispatchedInstance): void {
    this.#turn.processed.push(instance);
  }

  /** Takes in a status that the store has by now. */
  setStatus(instance: DispatchedInstance, status: number): void {
    if (instance.setStatus(status)) this.#turn.changed.add(instance.id);
  }

  /** Has activities run and timers fire that it waits for. */
  schedule(instance: DispatchedInstance, taskIds: Iterable<number>, timerIds: Iterable<number>): void {
    for (const taskId of taskIds) this.#turn.tasks.push({ instance, executionId: instance.executionId, taskId });

    // Those that are due already go off in the order in which they are set.
    const dueUs = (timerId: number): number => instance.state.timers.get(timerId)!;
    for (const timerId of [...timerIds].sort((a, b) => dueUs(a) - dueUs(b)))
      this.#timers.set(instance, timerId, dueUs(timerId));
  }

  /** Its execution is over: what it has asked for and not waited for is run all the same. */
  detachTasks(instance: DispatchedInstance): void {
    const { executionId } = instance;
    const nowUs = this.#context.clock.nowUs();
    for (const [taskId, task] of instance.state.tasks) {
      instance.detach(executionId, taskId, task);
      const scheduled = taskScheduled(taskId, task, nowUs);
      this.#context.store.addDetached({ ...this.#detached(instance, executionId, taskId), scheduled });
      this.#detaching.add(instance);
    }
  }

  /** An activity that nobody waits for was run. */
  dropDetached(instance: DispatchedInstance, executionId: string, taskId: number): void {
    if (instance.dropDetached(executionId, taskId))
      this.#context.store.removeDetached(this.#detached(instance, executionId, taskId));

    if (!instance.hasDetached) this.#detaching.delete(instance);
  }

  /** Calls off what nobody waits for of an execution: the one that takes its place asks for it again. */
  callOffDetachedOf({ id, executionId }: Pick<DispatchedInstance, "id" | "executionId">): void {
    // An instance that had ended and was taken back in is another object than what has its activities.
    for (const instance of [...this.#detaching].filter((each) => each.id === id))
      for (const taskId of instance.detachedOf(executionId)) this.dropDetached(instance, executionId, taskId);
  }

  /** Calls off all that nobody waits for. */
  callOffDetached(): void {
    this.#context.store.clearDetached(this.#taskHub);
    this.#forgetDetached();
  }

  #forgetDetached(): void {
    for (const instance of this.#detaching) instance.forgetDetached();

    this.#detaching.clear();
  }

  #detached({ id: instanceId }: DispatchedInstance, executionId: string, taskId: number): DetachedTask {
    return { taskHub: this.#taskHub, instanceId, executionId, taskId };
  }

  /**
   * Ends a turn that is committed. What it returns is for when that is on disk: it makes ready what the turn gave a reason
   * to, and returns the ids of the instances whose status it changed.
   */
  afterCommit(): () => ReadonlySet<string> {
    const { touched, processed, tasks, changed } = this.#turn;
    this.#turn = newTurn();
    return () => {
      for (const { instance, executionId, taskId } of tasks) this.#dispatch.enqueueTask(instance, executionId, taskId);

      for (const instance of processed) instance.dispatch.settle();

      for (const [instance, lastSeq] of touched) this.#dispatch.settle(instance, lastSeq);

      return changed;
    };
  }

  /** Forgets what is in memory and takes up what is in the store. What workers hold stays theirs if it still counts. */
  reload(active: Iterable<ActiveInstance>, detached: readonly ScheduledTask[]): void {
    for (const instance of this.#instances.values()) instance.stop();

    this.#instances.clear();
    // What an earlier turn or a rest has yet to make ready of them would be run twice.
    this.#forgetDetached();
    const held = this.#dispatch.reload();
    this.#turn = newTurn();
    this.#timers.beginReload();
    for (const each of active) {
      const instance = this.#add(each);
      this.schedule(instance, held.resume(instance), instance.state.timers.keys());
    }
    for (const [instanceId, tasks] of Map.groupBy(detached, (task) => task.instanceId)) {
      const instance = this.#instances.get(instanceId) ?? endedInstance(tasks[0]!, this.#versionOf(instanceId));
      this.#resumeDetached(instance, tasks, held);
    }
    held.keepRest();
  }

  /** Stops all timers. */
  close(): void {
    for (const instance of this.#instances.values()) instance.stop();
  }

  /** Of an instance that has ended: its activities that have none are of it. */
  #versionOf(instanceId: string): StringValueBytes | undefined {
    return this.#context.store.find(this.#taskHub, instanceId, false)?.version;
  }

  /** An instance from the store is read when an emulator starts, which then has to say which one it fails on. */
  #read(active: ActiveInstance): DispatchedInstance {
    try {
      const instance = new DispatchedInstance(active, this.#context.waitingBytes);
      checkTexts(instance.version);
      for (const { version } of instance.state.tasks.values()) checkTexts(version);

      return instance;
    } catch (error) {
      const { instanceId } = active.row;
      throw new StoreError(
        "damaged",
        `The database holds what cannot be read of the instance '${instanceId}' of task hub '${this.#taskHub}': ` +
          `${errorText(error)}. Nothing was changed. \`fanout emulator reset\` deletes the database.`,
        { cause: error },
      );
    }
  }

  #resumeDetached(instance: DispatchedInstance, tasks: readonly ScheduledTask[], held: HeldLeases): void {
    this.#detaching.add(instance);
    for (const { executionId, taskId, scheduled } of tasks) {
      instance.detach(executionId, taskId, readTaskScheduled(viewEvent(scheduled).body));
      if (!held.resumeDetached(instance, executionId, taskId)) this.#turn.tasks.push({ instance, executionId, taskId });
    }
  }

  #add(active: ActiveInstance): DispatchedInstance {
    const instance = this.#read(active);
    this.#dispatch.add(instance);
    this.#instances.set(instance.id, instance);
    this.touch(instance);
    return instance;
  }
}
