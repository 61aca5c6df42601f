import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { randomBytes } from "node:crypto";
import type { Homed } from "../dispatch/dispatcher.js";
import { History } from "./history.js";
import { EventType, concernsAction, viewEvent, type TaskRequest } from "../../protocol/history-event.js";
import type { EpisodeLease } from "../dispatch/leases.js";
import type { EpisodeItem } from "../dispatch/ready-items.js";
import { Orchestration } from "./orchestration.js";
import type { ActiveInstance, WaitingEvent } from "../store/store.js";
import { activityParent, episodeHead } from "../../protocol/write-work-item.js";
import { textOf } from "../../protocol/wire.js";
import type { Worker } from "../dispatch/worker.js";

/**
 * Where the next episode of an instance is: nowhere, waiting for a worker, with one, or completed by one and not on disk
 * yet.
 */
export type EpisodeState = "idle" | "ready" | "leased" | "settling";

interface Arrival extends WaitingEvent {
  readonly type: number;
}

/** An instance that has not ended, with what is needed to go on with it. Its payloads are in the store only. */
export class Instance implements Homed {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly createdUs: number;
  readonly scheduledStartUs: number;
  status: number;
  executionId: string;
  version: Uint8Array | undefined;
  /** Of a sub-orchestration: the instance that waits for it, and its ParentInstanceInfo. */
  readonly parentId: string | undefined;
  parent: Uint8Array | undefined;
  tags: readonly Uint8Array[];
  /** OrchestrationTraceContext, which each episode hands on to the next. */
  trace: Uint8Array | undefined;
  /** Activity results of earlier executions. */
  tasksCompletedBefore: number;
  /** Activity results of all executions that episodes have processed. */
  tasksProcessed: number;

  state: Orchestration;
  history: History;
  nextHistorySeq: number;
  /** Events for the next episode, in order and without a gap in `seq`; those that are on disk come first. */
  waiting: Arrival[];
  #nextWaitingSeq: number;
  #processedSeq = 0;
  #durableSeq = 0;

  home: Worker | undefined;
  lastPlace = 0;
  /** The worker of the last episode, if it remembers, and how many bytes of the history it has. */
  remembered: { readonly worker: Worker; readonly bytes: number } | undefined;
  episode: EpisodeState = "idle";
  /** What waits for a worker, where its episode is ready. */
  readyItem: EpisodeItem | undefined;
  /** How long this one holds its episodes back now, milliseconds. */
  holdMs = 0;
  /** When the first activity result that no episode has taken was on disk, milliseconds of the steady clock. */
  heldSinceMs: number | undefined;
  cancelHold: (() => void) | undefined;
  /** Whether something is on disk and waits that is not held. */
  urgent = false;
  ended = false;

  /** Activities of executions that are over, which nobody waits for, by `taskKey`. */
  #detached: Map<string, TaskRequest> | undefined;
  /** What cancels its timers, by timer id. */
  #alarms: Map<number, () => void> | undefined;
  // Made when they are needed: of a hundred thousand in flight, most wait.
  #head: Uint8Array | undefined;
  #activityParent: Uint8Array | undefined;

  constructor({ row, history, nextHistorySeq, waiting }: ActiveInstance) {
    this.key = row.key;
    this.id = row.instanceId;
    this.name = row.name;
    this.createdUs = row.createdUs;
    this.scheduledStartUs = row.scheduledStartUs;
    this.status = row.status;
    this.executionId = row.executionId;
    this.version = row.version;
    this.parentId = row.parentId;
    this.parent = row.parent;
    this.tags = row.tags;
    this.trace = row.trace;
    this.state = Orchestration.replay(history);
    this.tasksCompletedBefore = row.tasksCompleted - this.state.tasksCompleted;
    this.tasksProcessed = row.tasksCompleted;
    for (const { event } of waiting) this.state.observe(event);

    this.history = new History(history);
    this.nextHistorySeq = nextHistorySeq;
    this.waiting = waiting.map(arrivalOf);
    this.#nextWaitingSeq = (waiting.at(-1)?.seq ?? 0) + 1;
  }

  /** Its version, "" if it has none. */
  get versionText(): string {
    return this.version === undefined ? "" : textOf(this.version);
  }

  /** The fields that begin each of its OrchestratorRequests. */
  get head(): Uint8Array {
    return (this.#head ??= episodeHead(this.id, this.executionId));
  }

  /** The field of each of an execution's ActivityRequests that names it. */
  parentField(executionId: string): Uint8Array {
    if (executionId !== this.executionId) return activityParent(this.id, executionId);

    return (this.#activityParent ??= activityParent(this.id, executionId));
  }

  /** An activity that is still to be run. */
  task(executionId: string, taskId: number): TaskRequest | undefined {
    const awaited = !this.ended && executionId === this.executionId ? this.state.tasks.get(taskId) : undefined;
    return awaited ?? this.#detached?.get(taskKey(executionId, taskId));
  }

  /** An activity is to be run although nobody waits for it. */
  detach(executionId: string, taskId: number, task: TaskRequest): void {
    this.#detached ??= new Map();
    this.#detached.set(taskKey(executionId, taskId), task);
  }

  /** It was run; false if there is none. */
  dropDetached(executionId: string, taskId: number): boolean {
    return this.#detached?.delete(taskKey(executionId, taskId)) ?? false;
  }

  /** None of them is to be run from here on. */
  forgetDetached(): void {
    this.#detached = undefined;
  }

  get hasDetached(): boolean {
    return (this.#detached?.size ?? 0) > 0;
  }

  /** Activity results of all executions, those that no episode has processed yet included. */
  get tasksCompleted(): number {
    return this.tasksCompletedBefore + this.state.tasksCompleted;
  }

  /** The last `seq` that episodes have processed. */
  get processedSeq(): number {
    return this.#processedSeq;
  }

  /** The `seq` of the last event that it has received. */
  get lastSeq(): number {
    return this.#nextWaitingSeq - 1;
  }

  /** How many of the waiting events are on disk: the next episode may take those, and no others. */
  get durableCount(): number {
    const [first] = this.waiting;
    return first === undefined ? 0 : Math.min(Math.max(0, this.#durableSeq - first.seq + 1), this.waiting.length);
  }

  /** How many of them the next episode takes along. A rewind is told of alone: the worker answers it with a history. */
  get takeCount(): number {
    return this.waiting[0]?.type === EventType.ExecutionRewound ? Math.min(1, this.durableCount) : this.durableCount;
  }

  /** Whether it is to go on whatever it waits for, since somebody wants its end. */
  get terminating(): boolean {
    return this.waiting.slice(0, this.durableCount).some(({ type }) => type === EventType.ExecutionTerminated);
  }

  /** Whether an episode was ever completed, of this execution or an earlier one. */
  get begun(): boolean {
    return this.history.length > 0 || this.waiting[0]?.seq !== 1;
  }

  /** Whether it gets no episodes for now. */
  get paused(): boolean {
    return this.state.suspended && !this.terminating;
  }

  /** Whether more is to come: activities without a result, or events that are about to be on disk. */
  get outstanding(): boolean {
    return this.state.tasks.size > 0 || this.waiting.length > this.durableCount;
  }

  /** Adds an event for the next episode, which may take it once `settle` has said that it is on disk. */
  receive(event: Uint8Array): WaitingEvent {
    const arrival = arrivalOf({ seq: this.#nextWaitingSeq, event });
    this.#nextWaitingSeq += 1;
    this.waiting.push(arrival);
    return arrival;
  }

  /** The events up to this `seq` are on disk. Outcomes of activities may wait for others like them, all else is urgent. */
  settle(seq: number, nowMs: number): void {
    const before = this.durableCount;
    this.#durableSeq = Math.max(this.#durableSeq, seq);
    for (const { type } of this.waiting.slice(before, this.durableCount)) {
      if (type === EventType.TaskCompleted || type === EventType.TaskFailed) this.heldSinceMs ??= nowMs;
      else this.urgent = true;
    }
  }

  /** Removes the events that an episode took along, now that it has processed them. */
  takeWaiting(lease: EpisodeLease): Uint8Array[] {
    const taken = this.waiting.splice(0, lease.eventCount);
    this.tasksProcessed += lease.resultCount;
    this.episode = "settling";
    this.#processedSeq = taken.at(-1)?.seq ?? this.#processedSeq;
    return taken.map(({ event }) => event);
  }

  /** Adds the framed events of an episode to the history. */
  append(history: Uint8Array): void {
    this.history.append(history);
    this.nextHistorySeq += 1;
  }

  /** Begins the next execution; of the events that wait, those that were not about the old one are handed back. */
  continueAsNew(executionId: string): Uint8Array[] {
    const kept = this.waiting.map(({ event }) => event).filter((event) => !concernsAction(event));
    this.tasksCompletedBefore = this.tasksCompleted;
    this.#begin(executionId, EMPTY_BYTES);
    return kept;
  }

  /** Goes on from another history; hands back the events that wait. */
  rewind(executionId: string, history: Uint8Array): Uint8Array[] {
    const kept = this.waiting.map(({ event }) => event);
    this.#begin(executionId, history);
    this.nextHistorySeq = 1;
    return kept;
  }

  #begin(executionId: string, history: Uint8Array): void {
    this.cancelAlarms();
    this.state = Orchestration.replay(history);
    this.history = new History(history);
    this.nextHistorySeq = 0;
    this.waiting = [];
    this.tasksProcessed = this.tasksCompleted;
    this.urgent = false;
    this.heldSinceMs = undefined;
    this.executionId = executionId;
    this.remembered = undefined;
    this.trace = undefined;
    this.#head = undefined;
    this.#activityParent = undefined;
  }

  setAlarm(timerId: number, cancel: () => void): void {
    this.#alarms ??= new Map();
    this.#alarms.get(timerId)?.();
    this.#alarms.set(timerId, cancel);
  }

  /** It has gone off. */
  dropAlarm(timerId: number): void {
    this.#alarms?.delete(timerId);
  }

  cancelAlarms(): void {
    for (const cancel of this.#alarms?.values() ?? []) cancel();

    this.#alarms = undefined;
  }

  /** Stops all that would wake it. */
  stop(): void {
    this.ended = true;
    this.cancelAlarms();
    this.stopHolding();
  }

  stopHolding(): void {
    this.cancelHold?.();
    this.cancelHold = undefined;
  }
}

function taskKey(executionId: string, taskId: number): string {
  return `${executionId} ${taskId}`;
}

function arrivalOf({ seq, event }: WaitingEvent): Arrival {
  return { seq, event, type: viewEvent(event).type };
}

export function newExecutionId(): string {
  return randomBytes(16).toString("hex");
}
