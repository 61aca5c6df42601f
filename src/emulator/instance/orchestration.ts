import { createHash } from "node:crypto";
import { TimerCreatedEventSchema } from "../../protocol/durabletask_pb.js";
import { unframe } from "../../protocol/event-frames.js";
import {
  EventType,
  childCreated,
  eventSent,
  executionCompleted,
  subjectOf,
  taskScheduled,
  timerCreated,
  viewEvent,
  type ChildRequest,
  type Signal,
  type TaskRequest,
} from "../../protocol/history-event.js";
import {
  readChildCreated,
  readTaskScheduled,
  type Action,
  type End,
  type Termination,
} from "../../protocol/orchestrator-actions.js";
import { failureDetails, microsecondsOf, readMessage } from "../../protocol/messages.js";
import { Status, isTerminal, statusName } from "../../protocol/orchestration-status.js";

/**
 * What an orchestration waits for, as its history tells. Pure: it knows no clock, no store and no worker.
 *
 * Invariant: a task is outstanding from its TaskScheduled event until the first TaskCompleted or TaskFailed event for
 * it; a second result for it is not an event of the history. The same holds for sub-orchestrations and for timers.
 */
export class Orchestration {
  /** Activities that have brought a result, and not a failure. */
  tasksCompleted = 0;
  /** Whether it is not to go on until it is resumed. */
  suspended = false;
  // Made when they are needed: of a hundred thousand in flight, most have none.
  #tasks: Map<number, TaskRequest> | undefined;
  #children: Map<number, string> | undefined;
  #timers: Map<number, number> | undefined;

  /** Activities without a result, by task id. */
  get tasks(): ReadonlyMap<number, TaskRequest> {
    return this.#tasks ?? NONE;
  }

  /** Sub-orchestrations without an outcome: their instance ids, by task id. */
  get children(): ReadonlyMap<number, string> {
    return this.#children ?? NONE;
  }

  /** Timers not fired, by timer id: microseconds since the epoch at which they are due. */
  get timers(): ReadonlyMap<number, number> {
    return this.#timers ?? NONE;
  }

  /** The state after the events of a framed history. */
  static replay(history: Uint8Array): Orchestration {
    const state = new Orchestration();
    for (const event of unframe(history)) state.observe(event);

    return state;
  }

  /** Takes one event in; returns false, and changes nothing, if the history already holds what it says. */
  observe(event: Uint8Array): boolean {
    const view = viewEvent(event);
    switch (view.type) {
      case EventType.TaskScheduled:
        this.addTask(view.eventId, readTaskScheduled(view.body));
        return true;
      case EventType.ChildCreated:
        this.addChild(view.eventId, readChildCreated(view.body).instanceId);
        return true;
      case EventType.TimerCreated:
        this.addTimer(view.eventId, microsecondsOf(readMessage(TimerCreatedEventSchema, view.body).fireAt));
        return true;
      case EventType.TaskCompleted:
      case EventType.TaskFailed:
        return this.completeTask(subjectOf(view), view.type === EventType.TaskCompleted);
      case EventType.ChildCompleted:
      case EventType.ChildFailed:
        return this.#children?.delete(subjectOf(view)) ?? false;
      case EventType.TimerFired:
        return this.fireTimer(subjectOf(view));
      case EventType.ExecutionSuspended:
      case EventType.ExecutionResumed:
        this.suspended = view.type === EventType.ExecutionSuspended;
        return true;
      case EventType.ExecutionCompleted:
        // It may be told to rewind: until then nothing of it is waited for.
        this.#tasks = undefined;
        this.#children = undefined;
        this.#timers = undefined;
        return true;
      default:
        return true;
    }
  }

  addTask(taskId: number, task: TaskRequest): void {
    this.#tasks ??= new Map();
    this.#tasks.set(taskId, task);
  }

  /** Takes in the outcome of a task; false if it is not waited for. */
  completeTask(taskId: number, succeeded: boolean): boolean {
    const waited = this.#tasks?.delete(taskId) ?? false;
    if (waited && succeeded) this.tasksCompleted += 1;

    return waited;
  }

  addChild(taskId: number, instanceId: string): void {
    this.#children ??= new Map();
    this.#children.set(taskId, instanceId);
  }

  addTimer(timerId: number, fireAtUs: number): void {
    this.#timers ??= new Map();
    this.#timers.set(timerId, fireAtUs);
  }

  /** Takes in that a timer has fired; false if it is not waited for. */
  fireTimer(timerId: number): boolean {
    return this.#timers?.delete(timerId) ?? false;
  }

  /** Takes in the outcome of a sub-orchestration; false if it is not waited for. */
  completeChild(taskId: number, instanceId: string): boolean {
    return this.#children?.get(taskId) === instanceId && this.#children.delete(taskId);
  }
}

const NONE: ReadonlyMap<number, never> = new Map<number, never>();

/** What the actions of one episode come to. */
export interface Outcome {
  /** Events to append to the history, behind those that the episode processed. */
  readonly events: readonly Uint8Array[];
  /** Activities to run. */
  readonly taskIds: readonly number[];
  readonly timerIds: readonly number[];
  /** Sub-orchestrations to start, by their task ids. */
  readonly children: ReadonlyMap<number, ChildRequest>;
  readonly signals: readonly { readonly toInstanceId: string; readonly signal: Signal }[];
  readonly terminations: readonly Termination[];
  /** Set when the execution is over. */
  readonly end: End | undefined;
}

/**
 * Applies the actions of an episode to the state. One that the emulator does not carry out fails the orchestration
 * with its name: leaving it out would let the orchestrator wait for ever.
 */
export function applyActions(
  state: Orchestration,
  actions: readonly Action[],
  { nowUs, executionId }: { readonly nowUs: number; readonly executionId: string },
): Outcome {
  const events: Uint8Array[] = [];
  const taskIds: number[] = [];
  const timerIds: number[] = [];
  const children = new Map<number, ChildRequest>();
  const signals: { toInstanceId: string; signal: Signal }[] = [];
  const terminations: Termination[] = [];
  let end: End | undefined;
  for (const action of actions) {
    switch (action.kind) {
      case "task":
        events.push(taskScheduled(action.id, action.task, nowUs));
        state.addTask(action.id, action.task);
        taskIds.push(action.id);
        break;
      case "child": {
        const child = { ...action.child, instanceId: action.child.instanceId || childId(executionId, action.id) };
        events.push(childCreated(action.id, child, nowUs));
        state.addChild(action.id, child.instanceId);
        children.set(action.id, child);
        break;
      }
      case "timer":
        events.push(timerCreated(action.id, action.fireAtUs, nowUs));
        state.addTimer(action.id, action.fireAtUs);
        timerIds.push(action.id);
        break;
      case "signal":
        events.push(eventSent(action.id, action.toInstanceId, action.signal, nowUs));
        signals.push(action);
        break;
      case "terminate":
        terminations.push(action.termination);
        break;
      case "end":
        end ??= isEnd(action.end.status)
          ? action.end
          : unsupported(`completeOrchestration as ${statusName(action.end.status)}`);
        break;
      default:
        end = unsupported(action.kind === "rewind" ? "rewindOrchestration" : action.name);
    }
  }
  if (end !== undefined && end.status !== Status.ContinuedAsNew)
    events.push(executionCompleted(end.status, end.result, end.failure, nowUs));

  return { events, taskIds, timerIds, children, signals, terminations, end };
}

/** Longer ones, which clients may choose, would make ids of sub-orchestrations that are too long. */
const MOST_EXECUTION_ID = 64;

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The id of a sub-orchestration whose orchestrator has not chosen one: no other execution asks for the same. */
function childId(executionId: string, taskId: number): string {
  const own = executionId.length <= MOST_EXECUTION_ID ? executionId : digest(executionId);
  return `${own}:${taskId.toString(16).padStart(4, "0")}`;
}

function isEnd(status: number): boolean {
  return isTerminal(status) || status === Status.ContinuedAsNew;
}

function unsupported(action: string): End {
  const message = `fanout's emulator does not support the orchestrator action ${action} here.`;
  return failedEnd(failureDetails("UnsupportedAction", message));
}

/** The end of an execution that fails; `failure` is its TaskFailureDetails. */
export function failedEnd(failure: Uint8Array): End {
  return { status: Status.Failed, result: undefined, failure, carryoverEvents: [], newVersion: undefined, tags: [] };
}
