import { fromBinary } from "@bufbuild/protobuf";
import {
  OrchestratorActionSchema,
  SubOrchestrationInstanceCreatedEventSchema,
  TaskScheduledEventSchema,
  type CompleteOrchestrationAction,
  type CreateSubOrchestrationAction,
  type ScheduleTaskAction,
  type SubOrchestrationInstanceCreatedEvent,
  type TaskScheduledEvent,
} from "./durabletask_pb.js";
import { EMPTY_BYTES } from "./empty-bytes.js";
import type { ChildRequest, Signal, TaskRequest } from "./history-event.js";
import { microsecondsOf, readMessage } from "./messages.js";
import { textOf, type StringValueBytes } from "./wire.js";

/** The answer of an orchestrator to an episode: the actions of an `OrchestratorResponse`. */

export interface End {
  /** A number of the protocol's OrchestrationStatus. */
  readonly status: number;
  /** The output; with continue-as-new, the next execution's input. */
  readonly result: StringValueBytes | undefined;
  /** TaskFailureDetails. */
  readonly failure: Uint8Array | undefined;
  /** With continue-as-new: external events that the next execution has yet to see, its version, and its tags. */
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

/**
 * Reads encoded `OrchestratorAction`s, including versions, as dispatch reads them.
 * @throws Error if the bytes are not protobuf
 */
export function readActions(actions: readonly Uint8Array[]): Action[] {
  return actions.map(readAction);
}

function readAction(bytes: Uint8Array): Action {
  const { id, action, $unknown } = fromBinary(OrchestratorActionSchema, bytes);
  switch (action.case) {
    case "scheduleTask": {
      const task = taskOf(action.value);
      textOf(task.version ?? EMPTY_BYTES);
      return { kind: "task", id, task };
    }
    case "createSubOrchestration": {
      const child = childOf(action.value);
      textOf(child.version ?? EMPTY_BYTES);
      return { kind: "child", id, child };
    }
    case "createTimer":
      return { kind: "timer", id, fireAtUs: microsecondsOf(action.value.fireAt) };
    case "sendEvent": {
      const { instance, name, data } = action.value;
      return { kind: "signal", id, toInstanceId: instance?.instanceId ?? "", signal: { name, input: data } };
    }
    case "completeOrchestration":
      return { kind: "end", end: endOf(action.value) };
    case "terminateOrchestration": {
      const { instanceId, reason, recurse } = action.value;
      return { kind: "terminate", termination: { instanceId, reason, recurse } };
    }
    case "rewindOrchestration":
      return { kind: "rewind", history: action.value.newHistory };
    default:
      return { kind: "unsupported", name: action.case ?? `number ${$unknown?.[0]?.no ?? 0}` };
  }
}

function endOf(action: CompleteOrchestrationAction): End {
  const { orchestrationStatus: status, result, newVersion, carryoverEvents, failureDetails: failure, tags } = action;
  textOf(newVersion ?? EMPTY_BYTES);
  return { status, result, newVersion, carryoverEvents, failure, tags };
}

/** The content of a SubOrchestrationInstanceCreatedEvent. */
export function readChildCreated(body: Uint8Array): ChildRequest {
  return childOf(readMessage(SubOrchestrationInstanceCreatedEventSchema, body));
}

function childOf(child: CreateSubOrchestrationAction | SubOrchestrationInstanceCreatedEvent): ChildRequest {
  const { instanceId, name, version, input, parentTraceContext: traceContext, tags } = child;
  return { instanceId, name, version, input, traceContext, tags };
}

/** The content of a TaskScheduledEvent. */
export function readTaskScheduled(body: Uint8Array): TaskRequest {
  return taskOf(readMessage(TaskScheduledEventSchema, body));
}

function taskOf(task: ScheduleTaskAction | TaskScheduledEvent): TaskRequest {
  const { name, version, input, parentTraceContext: traceContext, tags } = task;
  return { name, version, input, traceContext, tags };
}
