import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { randomUUID } from "node:crypto";
import { History } from "./history.js";
import { concernsAction, type TaskRequest } from "../../protocol/history-event.js";
import { Orchestration } from "./orchestration.js";
import type { ActiveInstance, WaitingEvent } from "../store/store.js";
import { activityParent, episodeHead } from "../../protocol/write-work-item.js";
import { textOf } from "../../protocol/wire.js";
import type { WaitingBytes } from "./waiting-bytes.js";
import { WaitingEvents, type Arrival } from "./waiting-events.js";

/** What an instance goes on with as the next execution of its orchestrator. */
export interface NextExecution {
  readonly executionId: string;
  readonly version: Uint8Array | undefined;
  readonly tags: readonly Uint8Array[];
}

/** What a rewound instance goes on with. */
export interface RewoundExecution {
  readonly executionId: string;
  readonly parent: Uint8Array | undefined;
  readonly history: Uint8Array;
}

/** An instance that has not ended, with what is needed to go on with it. Its payloads are in the store only. */
export class Instance {
  readonly key: number;
  readonly id: string;
  readonly name: string;
  readonly createdUs: number;
  readonly scheduledStartUs: number;
  /** Of a sub-orchestration: the instance that waits for it. */
  readonly parentId: string | undefined;
  #status: number;
  #executionId: string;
  #version: Uint8Array | undefined;
  #parent: Uint8Array | undefined;
  #tags: readonly Uint8Array[];
  #trace: Uint8Array | undefined;
  /** Activity results of earlier executions. */
  #tasksCompletedBefore: number;
  #tasksProcessed: number;
  #ended = false;

  #state: Orchestration;
  #history: History;
  #nextHistorySeq: number;
  readonly #waiting: WaitingEvents;

  /** Activities of executions that are over, which nobody waits for, by `taskKey`. */
  #detached: Map<string, TaskRequest> | undefined;
  /** What cancels its timers, by timer id. */
  #alarms: Map<number, () => void> | undefined;
  // Made when they are needed: of a hundred thousand in flight, most wait.
  #head: Uint8Array | undefined;
  #activityParent: Uint8Array | undefined;

  /** `waitingBytes` counts the events that wait for it with those of others, until it has ended. */
  constructor({ row, history, nextHistorySeq, waiting }: ActiveInstance, waitingBytes: WaitingBytes) {
    this.key = row.key;
    this.id = row.instanceId;
    this.name = row.name;
    this.createdUs = row.createdUs;
    this.scheduledStartUs = row.scheduledStartUs;
    this.parentId = row.parentId;
    this.#status = row.status;
    this.#executionId = row.executionId;
    this.#version = row.version;
    this.#parent = row.parent;
    this.#tags = row.tags;
    this.#trace = row.trace;
    this.#state = Orchestration.replay(history);
    this.#tasksCompletedBefore = row.tasksCompleted - this.#state.tasksCompleted;
    this.#tasksProcessed = row.tasksCompleted;
    for (const { event } of waiting) this.#state.observe(event);

    this.#history = new History(history);
    this.#nextHistorySeq = nextHistorySeq;
    this.#waiting = new WaitingEvents(waiting, waitingBytes);
  }

  get status(): number {
    return this.#status;
  }

  get executionId(): string {
    return this.#executionId;
  }

  get version(): Uint8Array | undefined {
    return this.#version;
  }

  /** Of a sub-orchestration: its ParentInstanceInfo. */
  get parent(): Uint8Array | undefined {
    return this.#parent;
  }

  get tags(): readonly Uint8Array[] {
    return this.#tags;
  }

  /** OrchestrationTraceContext, which each episode hands on to the next. */
  get trace(): Uint8Array | undefined {
    return this.#trace;
  }

  /** What its execution waits for. Who takes an event in has to `receive` it too. */
  get state(): Orchestration {
    return this.#state;
  }

  get history(): History {
    return this.#history;
  }

  get nextHistorySeq(): number {
    return this.#nextHistorySeq;
  }

  /** Events for the next episode, in order and without a gap in `seq`; those that are on disk come first. */
  get waiting(): readonly Arrival[] {
    return this.#waiting.inOrder;
  }

  /** Activity results of all executions that episodes have processed. */
  get tasksProcessed(): number {
    return this.#tasksProcessed;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Its version, "" if it has none. */
  get versionText(): string {
    return this.#version === undefined ? "" : textOf(this.#version);
  }

  /** The fields that begin each of its OrchestratorRequests. */
  get head(): Uint8Array {
    return (this.#head ??= episodeHead(this.id, this.#executionId));
  }

  /** The field of each of an execution's ActivityRequests that names it. */
  parentField(executionId: string): Uint8Array {
    if (executionId !== this.#executionId) return activityParent(this.id, executionId);

    return (this.#activityParent ??= activityParent(this.id, executionId));
  }

  /** An activity that is still to be run. */
  task(executionId: string, taskId: number): TaskRequest | undefined {
    const awaited = !this.#ended && executionId === this.#executionId ? this.#state.tasks.get(taskId) : undefined;
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

  /** The ids of those of that execution. */
  detachedOf(executionId: string): number[] {
    const beginning = taskKey(executionId, "");
    return [...(this.#detached?.keys() ?? [])]
      .filter((key) => key.startsWith(beginning))
      .map((key) => Number(key.slice(beginning.length)));
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
    return this.#tasksCompletedBefore + this.#state.tasksCompleted;
  }

  /** The last `seq` that episodes have processed. */
  get processedSeq(): number {
    return this.#waiting.processedSeq;
  }

  /** The `seq` of the last event that it has received. */
  get lastSeq(): number {
    return this.#waiting.lastSeq;
  }

  /** How many of the waiting events are on disk: the next episode may take those, and no others. */
  get durableCount(): number {
    return this.#waiting.durableCount;
  }

  /** How many of them the next episode takes along. A rewind is told of alone: the worker answers it with a history. */
  get takeCount(): number {
    return this.#waiting.takeCount;
  }

  /** Whether it is to go on whatever it waits for, since somebody wants its end. */
  get terminating(): boolean {
    return this.#waiting.terminating;
  }

  /** Whether an episode was ever completed, of this execution or an earlier one. */
  get begun(): boolean {
    return this.#history.length > 0 || this.waiting[0]?.seq !== 1;
  }

  /** Whether it gets no episodes for now. */
  get paused(): boolean {
    return this.#state.suspended && !this.terminating;
  }

  /** Whether more is to come: activities without a result, or events that are about to be on disk. */
  get outstanding(): boolean {
    return this.#state.tasks.size > 0 || this.waiting.length > this.durableCount;
  }

  /** Adds an event for the next episode, which may take it once `settle` has said that it is on disk. */
  receive(event: Uint8Array): WaitingEvent {
    return this.#waiting.receive(event);
  }

  /** The events up to this `seq` are on disk; returns those that were not before. */
  settle(seq: number): readonly Arrival[] {
    return this.#waiting.settle(seq);
  }

  /** Removes the events that an episode took along, now that it has processed them, and the results among them. */
  takeWaiting(eventCount: number, resultCount: number): Uint8Array[] {
    const taken = this.#waiting.take(eventCount);
    this.#tasksProcessed += resultCount;
    return taken;
  }

  /** Adds the framed events of an episode to the history; the next one gets `trace` if the episode has set it. */
  append(history: Uint8Array, trace: Uint8Array | undefined): void {
    this.#history.append(history);
    this.#nextHistorySeq += 1;
    this.#trace = trace ?? this.#trace;
  }

  /** Takes in a status that the store has by now; false if it is the one that it had. */
  setStatus(status: number): boolean {
    const isNew = this.#status !== status;
    this.#status = status;
    return isNew;
  }

  /** Begins the next execution; of the events that wait, those that were not about the old one are handed back. */
  continueAsNew({ executionId, version, tags }: NextExecution): Uint8Array[] {
    const kept = this.#waiting.withdraw().filter((event) => !concernsAction(event));
    this.#tasksCompletedBefore = this.tasksCompleted;
    this.#begin(executionId, EMPTY_BYTES);
    this.#version = version;
    this.#tags = tags;
    return kept;
  }

  /** Goes on from another history; hands back the events that wait. */
  rewind({ executionId, parent, history }: RewoundExecution): Uint8Array[] {
    const kept = this.#waiting.withdraw();
    this.#begin(executionId, history);
    this.#parent = parent;
    this.#nextHistorySeq = 1;
    return kept;
  }

  #begin(executionId: string, history: Uint8Array): void {
    this.cancelAlarms();
    this.#state = Orchestration.replay(history);
    this.#history = new History(history);
    this.#nextHistorySeq = 0;
    this.#tasksProcessed = this.tasksCompleted;
    this.#executionId = executionId;
    this.#trace = undefined;
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

  /** It has ended, or is forgotten: nothing wakes it any more. */
  stop(): void {
    this.#ended = true;
    this.#waiting.stopCounting();
    this.cancelAlarms();
  }
}

function taskKey(executionId: string, taskId: number | ""): string {
  return `${executionId} ${taskId}`;
}

export function newExecutionId(): string {
  // Node draws the bytes of UUIDs in advance, many at a time.
  return randomUUID().replaceAll("-", "");
}
