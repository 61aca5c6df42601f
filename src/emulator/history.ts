import { BinaryReader, BinaryWriter, WireType, fieldBytes, fieldInt32, fieldString, fieldTimestamp } from "./wire.js";
import type { StringValueBytes } from "./wire.js";

/**
 * History events (`HistoryEvent` of the protocol) as encoded bytes. A history is the events of an execution, each
 * framed as a field of `OrchestratorRequest`, one behind the other: it goes into a work item by one copy.
 */

/** Field numbers in `HistoryEvent.eventType`. */
export const EventType = {
  ExecutionStarted: 3,
  ExecutionCompleted: 4,
  ExecutionTerminated: 5,
  TaskScheduled: 6,
  TaskCompleted: 7,
  TaskFailed: 8,
  TimerCreated: 12,
  TimerFired: 13,
  OrchestratorStarted: 14,
} as const;

/** Tag bytes that frame an event: `pastEvents` and `newEvents` of OrchestratorRequest, `events` of HistoryChunk. */
export const PAST_EVENT = 0x1a;
export const NEW_EVENT = 0x22;
export const CHUNK_EVENT = 0x0a;

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
    fieldTimestamp(writer, 6, start.scheduledStartUs);
    fieldBytes(writer, 7, start.traceContext);
    for (const tag of start.tags) {
      fieldBytes(writer, 9, tag);
    }
    return writer;
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

/** What a ScheduleTaskAction asks for; each part as it is on the wire. */
export interface TaskRequest {
  /** The fields name, version and input with their tags: they have the same numbers wherever a task is described. */
  readonly head: readonly Uint8Array[];
  readonly traceContext: Uint8Array | undefined;
  readonly tags: readonly Uint8Array[];
}

export function taskScheduled(taskId: number, task: TaskRequest, nowUs: number): Uint8Array {
  return event(EventType.TaskScheduled, taskId, nowUs, (writer) => {
    for (const field of task.head) {
      writer.raw(field);
    }
    fieldBytes(writer, 4, task.traceContext);
    for (const tag of task.tags) {
      fieldBytes(writer, 5, tag);
    }
    return writer;
  });
}

export function taskCompleted(taskId: number, result: StringValueBytes | undefined, nowUs: number): Uint8Array {
  return event(EventType.TaskCompleted, NO_ACTION, nowUs, (writer) =>
    fieldBytes(fieldInt32(writer, 1, taskId), 2, result),
  );
}

export function taskFailed(taskId: number, failure: Uint8Array, nowUs: number): Uint8Array {
  return event(EventType.TaskFailed, NO_ACTION, nowUs, (writer) =>
    fieldBytes(fieldInt32(writer, 1, taskId), 2, failure),
  );
}

export function timerCreated(timerId: number, fireAtUs: number, nowUs: number): Uint8Array {
  return event(EventType.TimerCreated, timerId, nowUs, (writer) => fieldTimestamp(writer, 1, fireAtUs));
}

export function timerFired(timerId: number, fireAtUs: number, nowUs: number): Uint8Array {
  return event(EventType.TimerFired, NO_ACTION, nowUs, (writer) =>
    fieldInt32(fieldTimestamp(writer, 1, fireAtUs), 2, timerId),
  );
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
  let body: Uint8Array = bytes.subarray(0, 0);
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

/** `taskScheduledId` of a TaskCompleted or TaskFailed event, `timerId` of a TimerFired event. */
export function subjectOf(view: EventView): number {
  const wanted = view.type === EventType.TimerFired ? 2 : 1;
  const reader = new BinaryReader(view.body);
  while (reader.pos < reader.len) {
    const [no, wireType] = reader.tag();
    if (no === wanted && wireType === WireType.Varint) {
      return reader.int32();
    }
    reader.skip(wireType, no);
  }
  return 0;
}

/** Whether an event answers an action of the execution that asked for it: it means nothing to the next one. */
export function concernsAction(event: Uint8Array): boolean {
  const { type } = viewEvent(event);
  return type === EventType.TaskCompleted || type === EventType.TaskFailed || type === EventType.TimerFired;
}

/** Bytes that one event takes in a frame. */
export function framedLength(event: Uint8Array): number {
  return 1 + varintLength(event.length) + event.length;
}

/** Writes an event with its frame at `offset`; returns the offset behind it. */
export function writeFramed(target: Uint8Array, offset: number, tag: number, event: Uint8Array): number {
  target[offset] = tag;
  const start = writeVarint(target, offset + 1, event.length);
  target.set(event, start);
  return start + event.length;
}

/** Bytes that events take in frames. */
export function framedBytes(events: readonly Uint8Array[]): number {
  return events.reduce((length, event) => length + framedLength(event), 0);
}

export function frame(tag: number, events: readonly Uint8Array[]): Uint8Array {
  const framed = Buffer.allocUnsafe(framedBytes(events));
  let offset = 0;
  for (const event of events) {
    offset = writeFramed(framed, offset, tag, event);
  }
  return framed;
}

/** The events of a framed history, in order. */
export function* unframe(framed: Uint8Array): Generator<Uint8Array> {
  const reader = new BinaryReader(framed);
  while (reader.pos < reader.len) {
    reader.tag();
    yield reader.bytes();
  }
}

export function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  while (value > 0x7f) {
    target[offset++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  target[offset++] = value;
  return offset;
}

/** A framed history that grows: appending doubles the room, and its bytes are one slice. */
export class History {
  #bytes: Uint8Array;
  #length: number;

  constructor(framed: Uint8Array) {
    this.#bytes = framed;
    this.#length = framed.length;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  append(framed: Uint8Array): void {
    const length = this.#length + framed.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(framed, this.#length);
    this.#length = length;
  }
}
