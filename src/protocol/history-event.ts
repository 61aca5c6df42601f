import { EMPTY_BYTES } from "./empty-bytes.js";
import { BinaryReader, BinaryWriter, WireType, fieldBytes, fieldInt32, fieldString, fieldTimestamp } from "./wire.js";
import type { StringValueBytes } from "./wire.js";

/** History events (`HistoryEvent` of the protocol) as encoded bytes: how they are made, and what is read off them. */

/** Field numbers in `HistoryEvent.eventType`. */
export const EventType = {
  ExecutionStarted: 3,
  ExecutionCompleted: 4,
  ExecutionTerminated: 5,
  TaskScheduled: 6,
  TaskCompleted: 7,
  TaskFailed: 8,
  ChildCreated: 9,
  ChildCompleted: 10,
  ChildFailed: 11,
  TimerCreated: 12,
  TimerFired: 13,
  OrchestratorStarted: 14,
  EventSent: 16,
  EventRaised: 17,
  ExecutionSuspended: 21,
  ExecutionResumed: 22,
  ExecutionRewound: 30,
} as const;

/** The id of an event that no action of the orchestrator stands behind. */
const NO_ACTION = -1;

function event(
  type: number,
  eventId: number,
  nowUs: number,
  body: (writer: BinaryWriter) => BinaryWriter = (writer) => writer,
): Uint8Array {
  const writer = fieldInt32(new BinaryWriter(), 1, eventId);
  fieldTimestamp(writer, 2, nowUs);
  writer.tag(type, WireType.LengthDelimited).fork();
  return body(writer).join().finish();
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
    fieldString(writer, 1, start.name);
    fieldBytes(writer, 2, start.version);
    fieldBytes(writer, 3, start.input);
    orchestrationInstance(writer, 4, start.instanceId, start.executionId);
    fieldBytes(writer, 5, start.parent);
    fieldTimestamp(writer, 6, start.scheduledStartUs);
    fieldBytes(writer, 7, start.traceContext);
    return fieldEach(writer, 9, start.tags);
  });
}

export function orchestrationInstance(
  writer: BinaryWriter,
  fieldNo: number,
  instanceId: string,
  executionId: string,
): BinaryWriter {
  writer.tag(fieldNo, WireType.LengthDelimited).fork();
  fieldString(writer, 1, instanceId);
  writer.tag(2, WireType.LengthDelimited).fork();
  return fieldString(writer, 1, executionId).join().join();
}

/** `status` is a number of the protocol's OrchestrationStatus. */
export function executionCompleted(
  status: number,
  result: StringValueBytes | undefined,
  failure: Uint8Array | undefined,
  nowUs: number,
): Uint8Array {
  return event(EventType.ExecutionCompleted, NO_ACTION, nowUs, (writer) => {
    fieldInt32(writer, 1, status);
    fieldBytes(writer, 2, result);
    return fieldBytes(writer, 3, failure);
  });
}

export function executionTerminated(output: StringValueBytes | undefined, recurse: boolean, nowUs: number): Uint8Array {
  return event(EventType.ExecutionTerminated, NO_ACTION, nowUs, (writer) => {
    fieldBytes(writer, 1, output);
    return recurse ? writer.tag(2, WireType.Varint).bool(true) : writer;
  });
}

export function executionSuspended(reason: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.ExecutionSuspended, NO_ACTION, nowUs, (writer) => fieldBytes(writer, 1, reason));
}

export function executionResumed(reason: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.ExecutionResumed, NO_ACTION, nowUs, (writer) => fieldBytes(writer, 1, reason));
}

/** `parentExecutionId` is that of the parent's new execution, where its rewind is why this one is rewound. */
export function executionRewound(
  reason: StringValueBytes | undefined,
  parentExecutionId: StringValueBytes | undefined,
  nowUs: number,
): Uint8Array {
  return event(EventType.ExecutionRewound, NO_ACTION, nowUs, (writer) =>
    fieldBytes(fieldBytes(writer, 1, reason), 2, parentExecutionId),
  );
}

/** What a ScheduleTaskAction asks for; each part as it is on the wire. */
export interface TaskRequest {
  /** The fields name, version and input with their tags: they have the same numbers wherever a task is described. */
  readonly head: readonly Uint8Array[];
  readonly traceContext: Uint8Array | undefined;
  readonly tags: readonly Uint8Array[];
}

export function taskScheduled(taskId: number, task: TaskRequest, nowUs: number): Uint8Array {
  return event(EventType.TaskScheduled, taskId, nowUs, (writer) => {
    for (const field of task.head) writer.raw(field);

    fieldBytes(writer, 4, task.traceContext);
    return fieldEach(writer, 5, task.tags);
  });
}

export function taskCompleted(taskId: number, result: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.TaskCompleted, NO_ACTION, nowUs, outcomeOf(taskId, result));
}

export function taskFailed(taskId: number, failure: Uint8Array, nowUs: number): Uint8Array {
  return event(EventType.TaskFailed, NO_ACTION, nowUs, outcomeOf(taskId, failure));
}

/** What a CreateSubOrchestrationAction asks for. */
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
    fieldString(writer, 1, child.instanceId);
    fieldString(writer, 2, child.name);
    fieldBytes(writer, 3, child.version);
    fieldBytes(writer, 4, child.input);
    fieldBytes(writer, 5, child.traceContext);
    return fieldEach(writer, 6, child.tags);
  });
}

export function childCompleted(taskId: number, result: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.ChildCompleted, NO_ACTION, nowUs, outcomeOf(taskId, result));
}

export function childFailed(taskId: number, failure: Uint8Array, nowUs: number): Uint8Array {
  return event(EventType.ChildFailed, NO_ACTION, nowUs, outcomeOf(taskId, failure));
}

/** The outcome of the task or the child with that id: its result or its TaskFailureDetails. */
function outcomeOf(taskId: number, outcome: Uint8Array | undefined): (writer: BinaryWriter) => BinaryWriter {
  return (writer) => fieldBytes(fieldInt32(writer, 1, taskId), 2, outcome);
}

export function timerCreated(timerId: number, fireAtUs: number, nowUs: number): Uint8Array {
  return event(EventType.TimerCreated, timerId, nowUs, (writer) => fieldTimestamp(writer, 1, fireAtUs));
}

export function timerFired(timerId: number, fireAtUs: number, nowUs: number): Uint8Array {
  return event(EventType.TimerFired, NO_ACTION, nowUs, (writer) =>
    fieldInt32(fieldTimestamp(writer, 1, fireAtUs), 2, timerId),
  );
}

/** An event that an instance sends to another, or has been sent. */
export interface Signal {
  readonly name: string;
  readonly input: StringValueBytes | undefined;
}

export function eventSent(actionId: number, toInstanceId: string, { name, input }: Signal, nowUs: number): Uint8Array {
  return event(EventType.EventSent, actionId, nowUs, (writer) => {
    fieldString(fieldString(writer, 1, toInstanceId), 2, name);
    return fieldBytes(writer, 3, input);
  });
}

export function eventRaised({ name, input }: Signal, nowUs: number): Uint8Array {
  return event(EventType.EventRaised, NO_ACTION, nowUs, (writer) => fieldBytes(fieldString(writer, 1, name), 2, input));
}

/** An event as far as the emulator has to understand it. */
export interface EventView {
  readonly type: number;
  /** The id of the action behind it: of the task in TaskScheduled, of the timer in TimerCreated. */
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
    if (no === 1) {
      eventId = reader.int32();
    } else if (no > 2 && wireType === WireType.LengthDelimited) {
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
  const wanted = view.type === EventType.TimerFired ? 2 : 1;
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

/** Whether an event answers an action of the execution that asked for it: it means nothing to the next one. */
export function concernsAction(event: Uint8Array): boolean {
  return OUTCOMES.includes(viewEvent(event).type);
}

function fieldEach(writer: BinaryWriter, fieldNo: number, all: readonly Uint8Array[]): BinaryWriter {
  for (const each of all) fieldBytes(writer, fieldNo, each);

  return writer;
}
