import {
  EventType,
  executionCompleted,
  subjectOf,
  taskScheduled,
  timerCreated,
  unframe,
  viewEvent,
  type TaskRequest,
} from "./history.js";
import { Status } from "./status.js";
import { BinaryReader, BinaryWriter, decode, fieldString, type StringValueBytes } from "./wire.js";

/**
 * What an orchestration waits for, as its history tells. Pure: it knows no clock, no store and no worker.
 *
 * Invariant: a task is outstanding from its TaskScheduled event until the first TaskCompleted or TaskFailed event for
 * it; a second result for it is not an event of the history. The same holds for timers.
 */
export class Orchestration {
  /** Activities without a result, by task id. */
  readonly tasks = new Map<number, TaskRequest>();
  /** Timers not fired, by timer id: microseconds since the epoch at which they are due. */
  readonly timers = new Map<number, number>();
  /** Activities that have brought a result, and not a failure. */
  tasksCompleted = 0;

  /** The state after the events of a framed history. */
  static replay(history: Uint8Array): Orchestration {
    const state = new Orchestration();
    for (const event of unframe(history)) {
      state.observe(event);
    }
    return state;
  }

  /** Takes one event in; returns false, and changes nothing, if the history already holds what it says. */
  observe(event: Uint8Array): boolean {
    const view = viewEvent(event);
    switch (view.type) {
      case EventType.TaskScheduled:
        this.tasks.set(view.eventId, taskOf(view.body, TASK_SCHEDULED));
        return true;
      case EventType.TimerCreated:
        this.timers.set(view.eventId, decode(TIMER, view.body).fireAt);
        return true;
      case EventType.TaskCompleted:
      case EventType.TaskFailed:
        return this.completeTask(subjectOf(view), view.type === EventType.TaskCompleted);
      case EventType.TimerFired:
        return this.timers.delete(subjectOf(view));
      default:
        return true;
    }
  }

  /** Takes in the outcome of a task; false if it is not waited for. */
  completeTask(taskId: number, succeeded: boolean): boolean {
    const waited = this.tasks.delete(taskId);
    if (waited && succeeded) {
      this.tasksCompleted += 1;
    }
    return waited;
  }
}

/** CreateTimerAction and TimerCreatedEvent. */
const TIMER = { fireAt: [1, "timestamp"] } as const;

/** Where the trace context and the tags of a task stand; name, version and input are 1 to 3 everywhere. */
interface TaskFields {
  readonly traceContext: number;
  readonly tags: number;
}
const TASK_SCHEDULED: TaskFields = { traceContext: 4, tags: 5 };
const SCHEDULE_TASK: TaskFields = { traceContext: 5, tags: 4 };

function taskOf(bytes: Uint8Array, fields: TaskFields): TaskRequest {
  const head: Uint8Array[] = [];
  const tags: Uint8Array[] = [];
  let traceContext: Uint8Array | undefined;
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [no, type] = reader.tag();
    if (no === fields.traceContext) {
      traceContext = reader.bytes();
    } else if (no === fields.tags) {
      tags.push(reader.bytes());
    } else {
      reader.skip(type, no);
      if (no <= 3) {
        head.push(bytes.subarray(start, reader.pos));
      }
    }
  }
  return { head, traceContext, tags };
}

export const OrchestratorResponse = {
  instanceId: [1, "string"],
  actions: [2, "messages"],
  customStatus: [3, "bytes"],
  completionToken: [4, "string"],
  requiresHistory: [7, "bool"],
  isPartial: [8, "bool"],
} as const;

const CompleteOrchestration = {
  status: [1, "int32"],
  result: [2, "bytes"],
  newVersion: [4, "bytes"],
  carryoverEvents: [5, "messages"],
  failure: [6, "bytes"],
} as const;

/** What the actions of one episode come to. */
export interface Outcome {
  /** Events to append to the history, behind those that the episode processed. */
  readonly events: readonly Uint8Array[];
  /** Activities to run. */
  readonly taskIds: readonly number[];
  readonly timerIds: readonly number[];
  /** Set when the execution is over. */
  readonly end: End | undefined;
}

export interface End {
  /** A number of the protocol's OrchestrationStatus. */
  readonly status: number;
  /** The output; on continue-as-new the next execution's input. */
  readonly result: StringValueBytes | undefined;
  /** TaskFailureDetails. */
  readonly failure: Uint8Array | undefined;
  /** On continue-as-new: external events that the next execution has yet to see, and its version. */
  readonly carryoverEvents: readonly Uint8Array[];
  readonly newVersion: StringValueBytes | undefined;
}

/** Names of the actions that this emulator does not carry out, by field number in OrchestratorAction. */
const UNSUPPORTED_ACTIONS: Readonly<Record<number, string>> = {
  3: "createSubOrchestration",
  5: "sendEvent",
  7: "terminateOrchestration",
  8: "sendEntityMessage",
  9: "rewindOrchestration",
};

export type Action =
  | { readonly kind: "task"; readonly id: number; readonly task: TaskRequest }
  | { readonly kind: "timer"; readonly id: number; readonly fireAtUs: number }
  | { readonly kind: "end"; readonly end: End }
  | { readonly kind: "unsupported"; readonly name: string };

/** Reads encoded `OrchestratorAction`s. Throws an Error on bytes that are not protobuf. */
export function readActions(actions: readonly Uint8Array[]): Action[] {
  return actions.map(readAction);
}

function readAction(bytes: Uint8Array): Action {
  const reader = new BinaryReader(bytes);
  let id = 0;
  let kind = 0;
  let body: Uint8Array = bytes.subarray(0, 0);
  while (reader.pos < reader.len) {
    const [no] = reader.tag();
    if (no === 1) {
      id = reader.int32();
    } else {
      kind = no;
      body = reader.bytes();
    }
  }
  switch (kind) {
    case 2:
      return { kind: "task", id, task: taskOf(body, SCHEDULE_TASK) };
    case 4:
      return { kind: "timer", id, fireAtUs: decode(TIMER, body).fireAt };
    case 6:
      return { kind: "end", end: decode(CompleteOrchestration, body) };
    default:
      return { kind: "unsupported", name: UNSUPPORTED_ACTIONS[kind] ?? `number ${kind}` };
  }
}

/**
 * Applies the actions of an episode to the state. One that the emulator does not carry out fails the orchestration
 * with its name: leaving it out would let the orchestrator wait for ever.
 */
export function applyActions(state: Orchestration, actions: readonly Action[], nowUs: number): Outcome {
  const events: Uint8Array[] = [];
  const taskIds: number[] = [];
  const timerIds: number[] = [];
  let end: End | undefined;
  for (const action of actions) {
    if (action.kind === "task") {
      events.push(taskScheduled(action.id, action.task, nowUs));
      state.tasks.set(action.id, action.task);
      taskIds.push(action.id);
    } else if (action.kind === "timer") {
      events.push(timerCreated(action.id, action.fireAtUs, nowUs));
      state.timers.set(action.id, action.fireAtUs);
      timerIds.push(action.id);
    } else if (action.kind === "end") {
      end ??= action.end;
    } else {
      end = unsupported(action.name);
      break;
    }
  }
  if (end !== undefined && end.status !== Status.ContinuedAsNew) {
    events.push(executionCompleted(end.status, end.result, end.failure, nowUs));
  }
  return { events, taskIds, timerIds, end };
}

function unsupported(action: string): End {
  const failure = new BinaryWriter();
  fieldString(failure, 1, "UnsupportedAction");
  fieldString(failure, 2, `fanout's emulator does not support the orchestrator action ${action}.`);
  return {
    status: Status.Failed,
    result: undefined,
    failure: failure.finish(),
    carryoverEvents: [],
    newVersion: undefined,
  };
}
