import { EMPTY_BYTES } from "./empty-bytes.js";
import type { ChildRequest, Signal, TaskRequest } from "./history-event.js";
import { BinaryReader, decode, textOf, type StringValueBytes } from "./wire.js";

/** What orchestrators answer an episode with: `OrchestratorResponse` and its actions. */

export const OrchestratorResponse = {
  instanceId: [1, "string"],
  actions: [2, "messages"],
  customStatus: [3, "bytes"],
  completionToken: [4, "string"],
  eventsProcessed: [5, "bytes"],
  traceContext: [6, "bytes"],
  requiresHistory: [7, "bool"],
  isPartial: [8, "bool"],
} as const;

const CompleteOrchestration = {
  status: [1, "int32"],
  result: [2, "bytes"],
  newVersion: [4, "bytes"],
  carryoverEvents: [5, "messages"],
  failure: [6, "bytes"],
  tags: [7, "messages"],
} as const;

/** CreateSubOrchestrationAction and SubOrchestrationInstanceCreatedEvent. */
export const ChildCreated = {
  instanceId: [1, "string"],
  name: [2, "string"],
  version: [3, "bytes"],
  input: [4, "bytes"],
  traceContext: [5, "bytes"],
  tags: [6, "messages"],
} as const;

const CreateTimer = { fireAt: [1, "timestamp"] } as const;
const SendEvent = { to: [1, "bytes"], name: [2, "string"], data: [3, "bytes"] } as const;
const OrchestrationInstance = { instanceId: [1, "string"] } as const;
const TerminateOrchestration = { instanceId: [1, "string"], reason: [2, "bytes"], recurse: [3, "bool"] } as const;
const RewindOrchestration = { newHistory: [1, "messages"] } as const;

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
const UNSUPPORTED: Readonly<Record<number, string>> = { 8: "sendEntityMessage" };

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
    if (no === 1) {
      id = reader.int32();
    } else {
      kind = no;
      body = reader.bytes();
    }
  }
  switch (kind) {
    case 2: {
      const task = taskOf(body, SCHEDULE_TASK);
      describeTask(task);
      return { kind: "task", id, task };
    }
    case 3: {
      const child = decode(ChildCreated, body);
      textOf(child.version ?? EMPTY_BYTES);
      return { kind: "child", id, child };
    }
    case 4:
      return { kind: "timer", id, fireAtUs: decode(CreateTimer, body).fireAt };
    case 5: {
      const { to, name, data } = decode(SendEvent, body);
      const { instanceId } = decode(OrchestrationInstance, to ?? EMPTY_BYTES);
      return { kind: "signal", id, toInstanceId: instanceId, signal: { name, input: data } };
    }
    case 6: {
      const end = decode(CompleteOrchestration, body);
      textOf(end.newVersion ?? EMPTY_BYTES);
      return { kind: "end", end };
    }
    case 7:
      return { kind: "terminate", termination: decode(TerminateOrchestration, body) };
    case 9:
      return { kind: "rewind", history: decode(RewindOrchestration, body).newHistory };
    default:
      return { kind: "unsupported", name: UNSUPPORTED[kind] ?? `number ${kind}` };
  }
}

/** Where the trace context and the tags of a task stand; name, version and input are 1 to 3 everywhere. */
interface TaskFields {
  readonly traceContext: number;
  readonly tags: number;
}
export const TASK_SCHEDULED: TaskFields = { traceContext: 4, tags: 5 };
const SCHEDULE_TASK: TaskFields = { traceContext: 5, tags: 4 };

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
      if (no <= 3) head.push(bytes.subarray(start, reader.pos));
    }
  }
  return { head, traceContext, tags };
}

const TASK_HEAD = { name: [1, "string"], version: [2, "stringValue"] } as const;

/** The name and the version of an activity, "" where it has none. */
export function describeTask(task: TaskRequest | undefined): { readonly name: string; readonly version: string } {
  let name = "";
  let version = "";
  // Field by field: to join them would be to copy the input.
  for (const field of task?.head ?? []) {
    const head = decode(TASK_HEAD, field);
    name = head.name || name;
    version = head.version ?? version;
  }
  return { name, version };
}
