import {
  CompleteOrchestrationActionSchema,
  CreateSubOrchestrationActionSchema,
  CreateTimerActionSchema,
  OrchestratorActionSchema,
  RewindOrchestrationActionSchema,
  ScheduleTaskActionSchema,
  SendEventActionSchema,
  SubOrchestrationInstanceCreatedEventSchema,
  TaskScheduledEventSchema,
  TerminateOrchestrationActionSchema,
  type CompleteOrchestrationAction,
  type CreateSubOrchestrationAction,
  type SubOrchestrationInstanceCreatedEvent,
} from "./durabletask_pb.js";
import { EMPTY_BYTES } from "./empty-bytes.js";
import { fieldNumbers } from "./fields.js";
import type { ChildRequest, Signal, TaskRequest } from "./history-event.js";
import { microsecondsOf, readMessage } from "./messages.js";
import { BinaryReader, textOf, type StringValueBytes } from "./wire.js";

/** What orchestrators answer an episode with: the actions of an `OrchestratorResponse`. */

const Field = fieldNumbers(OrchestratorActionSchema);
const Scheduled = fieldNumbers(TaskScheduledEventSchema);
const ToSchedule = fieldNumbers(ScheduleTaskActionSchema);

export interface End {
  /** A number of the protocol's OrchestrationStatus. */
  readonly status: number;
  /** The output; on continue-as-new the next execution's input. */
  readonly result: StringValueBytes | undefined;
  /** TaskFailureDetails. */
  readonly failure: Uint8Array | undefined;
  /** On continue-as-new: external events that the next execution has yet to see, its version, and its tags if any. */
  readonly carryoverEvents: readonly Uint8Array[];
  readonly newVersion: StringValueBytes | undefined;
  readonly tags: readonly Uint8Array[];
}

export interface Termination {
  readonly instanceId: string;
  readonly reason: StringValueBytes | undefined;
  readonly recurse: boolean;
}

export type Action =
  | { readonly kind: "task"; readonly id: number; readonly task: TaskRequest }
  | { readonly kind: "child"; readonly id: number; readonly child: ChildRequest }
  | { readonly kind: "timer"; readonly id: number; readonly fireAtUs: number }
  | { readonly kind: "signal"; readonly id: number; readonly toInstanceId: string; readonly signal: Signal }
  | { readonly kind: "terminate"; readonly termination: Termination }
  | { readonly kind: "rewind"; readonly history: readonly Uint8Array[] }
  | { readonly kind: "end"; readonly end: End }
  | { readonly kind: "unsupported"; readonly name: string };

/** Names of the actions that this emulator does not carry out, by field number in OrchestratorAction. */
const UNSUPPORTED: Readonly<Record<number, string>> = { [Field.sendEntityMessage]: "sendEntityMessage" };

/** Reads encoded `OrchestratorAction`s. Throws an Error on bytes that are not protobuf, versions included, as dispatch reads them. */
export function readActions(actions: readonly Uint8Array[]): Action[] {
  return actions.map(readAction);
}

function readAction(bytes: Uint8Array): Action {
  const reader = new BinaryReader(bytes);
  let id = 0;
  let kind = 0;
  let body: Uint8Array = EMPTY_BYTES;
  while (reader.pos < reader.len) {
    const [no] = reader.tag();
    if (no === Field.id) {
      id = reader.int32();
    } else {
      kind = no;
      body = reader.bytes();
    }
  }
  switch (kind) {
    case Field.scheduleTask: {
      const task = taskOf(body, SCHEDULE_TASK);
      describeTask(task);
      return { kind: "task", id, task };
    }
    case Field.createSubOrchestration: {
      const child = childOf(readMessage(CreateSubOrchestrationActionSchema, body));
      textOf(child.version ?? EMPTY_BYTES);
      return { kind: "child", id, child };
    }
    case Field.createTimer:
      return { kind: "timer", id, fireAtUs: microsecondsOf(readMessage(CreateTimerActionSchema, body).fireAt) };
    case Field.sendEvent: {
      const { instance, name, data } = readMessage(SendEventActionSchema, body);
      return { kind: "signal", id, toInstanceId: instance?.instanceId ?? "", signal: { name, input: data } };
    }
    case Field.completeOrchestration:
      return { kind: "end", end: endOf(readMessage(CompleteOrchestrationActionSchema, body)) };
    case Field.terminateOrchestration: {
      const { instanceId, reason, recurse } = readMessage(TerminateOrchestrationActionSchema, body);
      return { kind: "terminate", termination: { instanceId, reason, recurse } };
    }
    case Field.rewindOrchestration:
      return { kind: "rewind", history: readMessage(RewindOrchestrationActionSchema, body).newHistory };
    default:
      return { kind: "unsupported", name: UNSUPPORTED[kind] ?? `number ${kind}` };
  }
}

function endOf(action: CompleteOrchestrationAction): End {
  const { orchestrationStatus: status, result, newVersion, carryoverEvents, failureDetails: failure, tags } = action;
  textOf(newVersion ?? EMPTY_BYTES);
  return { status, result, newVersion, carryoverEvents, failure, tags };
}

/** What a SubOrchestrationInstanceCreatedEvent tells of. */
export function readChildCreated(body: Uint8Array): ChildRequest {
  return childOf(readMessage(SubOrchestrationInstanceCreatedEventSchema, body));
}

function childOf(child: CreateSubOrchestrationAction | SubOrchestrationInstanceCreatedEvent): ChildRequest {
  const { instanceId, name, version, input, parentTraceContext: traceContext, tags } = child;
  return { instanceId, name, version, input, traceContext, tags };
}

/** Where the trace context and the tags of a task stand; name, version and input have the same numbers everywhere. */
interface TaskFields {
  readonly traceContext: number;
  readonly tags: number;
}
export const TASK_SCHEDULED: TaskFields = { traceContext: Scheduled.parentTraceContext, tags: Scheduled.tags };
const SCHEDULE_TASK: TaskFields = { traceContext: ToSchedule.parentTraceContext, tags: ToSchedule.tags };

/** What a task is, of a ScheduleTaskAction or a TaskScheduled event. */
export function taskOf(bytes: Uint8Array, fields: TaskFields): TaskRequest {
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
      if (no <= Scheduled.input) head.push(bytes.subarray(start, reader.pos));
    }
  }
  return { head, traceContext, tags };
}

/** The name and the version of an activity, "" where it has none. */
export function describeTask(task: TaskRequest | undefined): { readonly name: string; readonly version: string } {
  let name = "";
  let version = "";
  // Field by field: to join them would be to copy the input.
  for (const field of task?.head ?? []) {
    const reader = new BinaryReader(field);
    const [no] = reader.tag();
    if (no === Scheduled.name) name = reader.string();
    else if (no === Scheduled.version) version = textOf(reader.bytes());
  }
  return { name, version };
}
