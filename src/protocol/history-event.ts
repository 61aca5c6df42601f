import { EMPTY_BYTES } from "./empty-bytes.js";
import {
  EventRaisedEventSchema,
  EventSentEventSchema,
  ExecutionCompletedEventSchema,
  ExecutionResumedEventSchema,
  ExecutionRewoundEventSchema,
  ExecutionStartedEventSchema,
  ExecutionSuspendedEventSchema,
  ExecutionTerminatedEventSchema,
  HistoryEventSchema,
  OrchestrationInstanceSchema,
  SubOrchestrationInstanceCreatedEventSchema,
  TaskCompletedEventSchema,
  TaskScheduledEventSchema,
  TimerCreatedEventSchema,
  TimerFiredEventSchema,
} from "./durabletask_pb.js";
import { fieldNumbers } from "./fields.js";
import {
  BinaryReader,
  WireType,
  fieldBytes,
  fieldInt32,
  fieldString,
  fieldTimestamp,
  stringValue,
  written,
} from "./wire.js";
import type { BinaryWriter, StringValueBytes } from "./wire.js";

/** History events (`HistoryEvent` of the protocol) as encoded bytes: their writers and readers. */

const Event = fieldNumbers(HistoryEventSchema);
const Started = fieldNumbers(ExecutionStartedEventSchema);
const Completed = fieldNumbers(ExecutionCompletedEventSchema);
const Terminated = fieldNumbers(ExecutionTerminatedEventSchema);
const Rewound = fieldNumbers(ExecutionRewoundEventSchema);
const Scheduled = fieldNumbers(TaskScheduledEventSchema);
const TaskResult = fieldNumbers(TaskCompletedEventSchema);
const Child = fieldNumbers(SubOrchestrationInstanceCreatedEventSchema);
const Timer = fieldNumbers(TimerCreatedEventSchema);
const Fired = fieldNumbers(TimerFiredEventSchema);
const Sent = fieldNumbers(EventSentEventSchema);
const Raised = fieldNumbers(EventRaisedEventSchema);
const Suspended = fieldNumbers(ExecutionSuspendedEventSchema);
const Resumed = fieldNumbers(ExecutionResumedEventSchema);
const Instance = fieldNumbers(OrchestrationInstanceSchema);

/** The types of events, by their field in `HistoryEvent`. */
export const EventType = {
  ExecutionStarted: Event.executionStarted,
  ExecutionCompleted: Event.executionCompleted,
  ExecutionTerminated: Event.executionTerminated,
  TaskScheduled: Event.taskScheduled,
  TaskCompleted: Event.taskCompleted,
  TaskFailed: Event.taskFailed,
  ChildCreated: Event.subOrchestrationInstanceCreated,
  ChildCompleted: Event.subOrchestrationInstanceCompleted,
  ChildFailed: Event.subOrchestrationInstanceFailed,
  TimerCreated: Event.timerCreated,
  TimerFired: Event.timerFired,
  OrchestratorStarted: Event.orchestratorStarted,
  EventSent: Event.eventSent,
  EventRaised: Event.eventRaised,
  ExecutionSuspended: Event.executionSuspended,
  ExecutionResumed: Event.executionResumed,
  ExecutionRewound: Event.executionRewound,
} as const;

/** The id of an event without an action of the orchestrator. */
const NO_ACTION = -1;

function event(
  type: number,
  eventId: number,
  nowUs: number,
  body: (writer: BinaryWriter) => BinaryWriter = (writer) => writer,
): Uint8Array {
  return written((writer) => {
    fieldInt32(writer, Event.eventId, eventId);
    fieldTimestamp(writer, Event.timestamp, nowUs);
    writer.tag(type, WireType.LengthDelimited).fork();
    body(writer).join();
  });
}

export function orchestratorStarted(nowUs: number): Uint8Array {
  return event(EventType.OrchestratorStarted, NO_ACTION, nowUs);
}

export interface ExecutionStart {
  readonly name: string;
  readonly version: StringValueBytes | undefined;
  readonly input: StringValueBytes | undefined;
  readonly instanceId: string;
  readonly executionId: string;
  /** ParentInstanceInfo of a sub-orchestration. */
  readonly parent: Uint8Array | undefined;
  readonly scheduledStartUs: number;
  readonly traceContext: Uint8Array | undefined;
  /** Entries of `map<string, string> tags`, as they are on the wire. */
  readonly tags: readonly Uint8Array[];
}

export function executionStarted(start: ExecutionStart, nowUs: number): Uint8Array {
  return event(EventType.ExecutionStarted, NO_ACTION, nowUs, (writer) => {
    fieldString(writer, Started.name, start.name);
    fieldBytes(writer, Started.version, start.version);
    fieldBytes(writer, Started.input, start.input);
    orchestrationInstance(writer, Started.orchestrationInstance, start.instanceId, start.executionId);
    fieldBytes(writer, Started.parentInstance, start.parent);
    fieldTimestamp(writer, Started.scheduledStartTimestamp, start.scheduledStartUs);
    fieldBytes(writer, Started.parentTraceContext, start.traceContext);
    return fieldEach(writer, Started.tags, start.tags);
  });
}

export function orchestrationInstance(
  writer: BinaryWriter,
  fieldNo: number,
  instanceId: string,
  executionId: string,
): BinaryWriter {
  writer.tag(fieldNo, WireType.LengthDelimited).fork();
  fieldString(writer, Instance.instanceId, instanceId);
  return fieldBytes(writer, Instance.executionId, stringValue(executionId)).join();
}

/** `status` is a number of the protocol's OrchestrationStatus. */
export function executionCompleted(
  status: number,
  result: StringValueBytes | undefined,
  failure: Uint8Array | undefined,
  nowUs: number,
): Uint8Array {
  return event(EventType.ExecutionCompleted, NO_ACTION, nowUs, (writer) => {
    fieldInt32(writer, Completed.orchestrationStatus, status);
    fieldBytes(writer, Completed.result, result);
    return fieldBytes(writer, Completed.failureDetails, failure);
  });
}

export function executionTerminated(output: StringValueBytes | undefined, recurse: boolean, nowUs: number): Uint8Array {
  return event(EventType.ExecutionTerminated, NO_ACTION, nowUs, (writer) => {
    fieldBytes(writer, Terminated.input, output);
    return recurse ? writer.tag(Terminated.recurse, WireType.Varint).bool(true) : writer;
  });
}

export function executionSuspended(reason: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.ExecutionSuspended, NO_ACTION, nowUs, (writer) => fieldBytes(writer, Suspended.input, reason));
}

export function executionResumed(reason: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.ExecutionResumed, NO_ACTION, nowUs, (writer) => fieldBytes(writer, Resumed.input, reason));
}

/** `parentExecutionId` is the parent's new execution, if the parent's rewind is the reason. */
export function executionRewound(
  reason: StringValueBytes | undefined,
  parentExecutionId: StringValueBytes | undefined,
  nowUs: number,
): Uint8Array {
  return event(EventType.ExecutionRewound, NO_ACTION, nowUs, (writer) =>
    fieldBytes(fieldBytes(writer, Rewound.reason, reason), Rewound.parentExecutionId, parentExecutionId),
  );
}

/** The content of a ScheduleTaskAction. */
export interface TaskRequest {
  readonly name: string;
  readonly version: StringValueBytes | undefined;
  readonly input: StringValueBytes | undefined;
  readonly traceContext: Uint8Array | undefined;
  readonly tags: readonly Uint8Array[];
}

export function taskScheduled(taskId: number, task: TaskRequest, nowUs: number): Uint8Array {
  return event(EventType.TaskScheduled, taskId, nowUs, (writer) => {
    fieldString(writer, Scheduled.name, task.name);
    fieldBytes(writer, Scheduled.version, task.version);
    fieldBytes(writer, Scheduled.input, task.input);
    fieldBytes(writer, Scheduled.parentTraceContext, task.traceContext);
    return fieldEach(writer, Scheduled.tags, task.tags);
  });
}

export function taskCompleted(taskId: number, result: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.TaskCompleted, NO_ACTION, nowUs, outcomeOf(taskId, result));
}

export function taskFailed(taskId: number, failure: Uint8Array, nowUs: number): Uint8Array {
  return event(EventType.TaskFailed, NO_ACTION, nowUs, outcomeOf(taskId, failure));
}

/** The content of a CreateSubOrchestrationAction. */
export interface ChildRequest {
  readonly instanceId: string;
  readonly name: string;
  readonly version: StringValueBytes | undefined;
  readonly input: StringValueBytes | undefined;
  readonly traceContext: Uint8Array | undefined;
  readonly tags: readonly Uint8Array[];
}

export function childCreated(taskId: number, child: ChildRequest, nowUs: number): Uint8Array {
  return event(EventType.ChildCreated, taskId, nowUs, (writer) => {
    fieldString(writer, Child.instanceId, child.instanceId);
    fieldString(writer, Child.name, child.name);
    fieldBytes(writer, Child.version, child.version);
    fieldBytes(writer, Child.input, child.input);
    fieldBytes(writer, Child.parentTraceContext, child.traceContext);
    return fieldEach(writer, Child.tags, child.tags);
  });
}

export function childCompleted(taskId: number, result: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.ChildCompleted, NO_ACTION, nowUs, outcomeOf(taskId, result));
}

export function childFailed(taskId: number, failure: Uint8Array, nowUs: number): Uint8Array {
  return event(EventType.ChildFailed, NO_ACTION, nowUs, outcomeOf(taskId, failure));
}

/**
 * The outcome of a task or child: its result or its TaskFailureDetails. The four events have the same field numbers.
 */
function outcomeOf(taskId: number, outcome: Uint8Array | undefined): (writer: BinaryWriter) => BinaryWriter {
  return (writer) => fieldBytes(fieldInt32(writer, TaskResult.taskScheduledId, taskId), TaskResult.result, outcome);
}

export function timerCreated(timerId: number, fireAtUs: number, nowUs: number): Uint8Array {
  return event(EventType.TimerCreated, timerId, nowUs, (writer) => fieldTimestamp(writer, Timer.fireAt, fireAtUs));
}

export function timerFired(timerId: number, fireAtUs: number, nowUs: number): Uint8Array {
  return event(EventType.TimerFired, NO_ACTION, nowUs, (writer) =>
    fieldInt32(fieldTimestamp(writer, Fired.fireAt, fireAtUs), Fired.timerId, timerId),
  );
}

/** An event from one instance to another. */
export interface Signal {
  readonly name: string;
  readonly input: StringValueBytes | undefined;
}

export function eventSent(actionId: number, toInstanceId: string, { name, input }: Signal, nowUs: number): Uint8Array {
  return event(EventType.EventSent, actionId, nowUs, (writer) => {
    fieldString(fieldString(writer, Sent.instanceId, toInstanceId), Sent.name, name);
    return fieldBytes(writer, Sent.input, input);
  });
}

export function eventRaised({ name, input }: Signal, nowUs: number): Uint8Array {
  return event(EventType.EventRaised, NO_ACTION, nowUs, (writer) =>
    fieldBytes(fieldString(writer, Raised.name, name), Raised.input, input),
  );
}

/** The part of an event that the emulator has to understand. */
export interface EventView {
  readonly type: number;
  /** The id of its action: of the task in TaskScheduled, of the timer in TimerCreated. */
  readonly eventId: number;
  readonly body: Uint8Array;
}

export function viewEvent(bytes: Uint8Array): EventView {
  const reader = new BinaryReader(bytes);
  let type = 0;
  let eventId = 0;
  let body: Uint8Array = EMPTY_BYTES;
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === Event.eventId) {
      eventId = reader.int32();
    } else if (no > Event.timestamp && wireType === WireType.LengthDelimited) {
      type = no;
      body = reader.bytes();
    } else {
      reader.skip(wireType, no);
    }
  }
  return { type, eventId, body };
}

/** `taskScheduledId` of the outcome of a task or a child, `timerId` of a TimerFired event. */
export function subjectOf(view: EventView): number {
  const wanted = view.type === EventType.TimerFired ? Fired.timerId : TaskResult.taskScheduledId;
  const reader = new BinaryReader(view.body);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === wanted && wireType === WireType.Varint) return reader.int32();

    reader.skip(wireType, no);
  }
  return 0;
}

const OUTCOMES: readonly number[] = [
  EventType.TaskCompleted,
  EventType.TaskFailed,
  EventType.ChildCompleted,
  EventType.ChildFailed,
  EventType.TimerFired,
];

/** Whether an event answers an action of its own execution. It means nothing to the next execution. */
export function concernsAction(event: Uint8Array): boolean {
  return OUTCOMES.includes(viewEvent(event).type);
}

function fieldEach(writer: BinaryWriter, fieldNo: number, all: readonly Uint8Array[]): BinaryWriter {
  for (const each of all) fieldBytes(writer, fieldNo, each);

  return writer;
}
