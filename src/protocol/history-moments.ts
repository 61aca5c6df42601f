import type { HistoryEvent } from "./durabletask_pb.js";
import { HistoryChunkSchema, HistoryEventSchema, TaskFailureDetailsSchema } from "./durabletask_pb.js";
import { microsecondsOf, readMessage } from "./messages.js";
import { statusName, type StatusName } from "./orchestration-status.js";
import { textOf } from "./wire.js";

/** What an orchestrator may ask for and be answered. */
type Asked = "activity" | "timer" | "child";

/** What an activity or an orchestration failed with, in its own words. */
export interface MomentFailure {
  readonly type: string;
  readonly message: string;
}

/** What comes to an instance from outside. */
type Signalled = "event" | "suspended" | "resumed" | "terminated" | "rewound" | "entity";

/**
 * An event of a history, as far as it tells when something happened and why. Times are microseconds since the epoch by the
 * backend's clock. `id` is that of the action: an answer has the id of what was asked for.
 */
export type HistoryMoment =
  | { readonly kind: "execution-started"; readonly atUs: number; readonly name?: string }
  /** An episode begins. */
  | { readonly kind: "orchestrator-started"; readonly atUs: number }
  | {
      readonly kind: "asked";
      readonly atUs: number;
      readonly id: number;
      readonly what: Asked;
      /** Of an activity or a sub-orchestration. */
      readonly name?: string;
      /** Of a sub-orchestration. */
      readonly instanceId?: string;
    }
  | {
      readonly kind: "answered";
      readonly atUs: number;
      readonly id: number;
      readonly what: Asked;
      readonly failed: boolean;
      readonly failure?: MomentFailure;
      /** JSON text that an activity returned. */
      readonly output?: string;
    }
  /** From outside. `name` is that of the event. */
  | { readonly kind: "signalled"; readonly atUs: number; readonly signal?: Signalled; readonly name?: string }
  | {
      readonly kind: "ended";
      readonly atUs: number;
      readonly status?: StatusName | "Unknown";
      readonly failure?: MomentFailure;
    };

/**
 * The moments of a HistoryChunk, in its order. Events that tell no moment are left out.
 * @throws Error for what is none
 */
export function momentsOf(chunk: Uint8Array): readonly HistoryMoment[] {
  return readMessage(HistoryChunkSchema, chunk).events.flatMap((bytes) => {
    const event = readMessage(HistoryEventSchema, bytes);
    return momentOf(event, microsecondsOf(event.timestamp)) ?? [];
  });
}

function momentOf({ eventId: id, eventType }: HistoryEvent, atUs: number): HistoryMoment | undefined {
  switch (eventType.case) {
    case "executionStarted":
      return { kind: "execution-started", atUs, name: eventType.value.name };
    case "orchestratorStarted":
      return { kind: "orchestrator-started", atUs };
    case "taskScheduled":
      return { kind: "asked", atUs, id, what: "activity", name: eventType.value.name };
    case "timerCreated":
      return { kind: "asked", atUs, id, what: "timer" };
    case "subOrchestrationInstanceCreated": {
      const { instanceId, name } = eventType.value;
      return { kind: "asked", atUs, id, what: "child", instanceId, name };
    }
    case "taskCompleted": {
      const { taskScheduledId, result } = eventType.value;
      return answered(atUs, "activity", taskScheduledId, { ...(result && { output: textOf(result) }) });
    }
    case "taskFailed":
      return answered(atUs, "activity", eventType.value.taskScheduledId, failedWith(eventType.value.failureDetails));
    case "timerFired":
      return answered(atUs, "timer", eventType.value.timerId);
    case "subOrchestrationInstanceCompleted":
      return answered(atUs, "child", eventType.value.taskScheduledId);
    case "subOrchestrationInstanceFailed":
      return answered(atUs, "child", eventType.value.taskScheduledId, failedWith(eventType.value.failureDetails));
    case "executionCompleted": {
      const { orchestrationStatus, failureDetails } = eventType.value;
      return { kind: "ended", atUs, status: statusName(orchestrationStatus), ...failureOf(failureDetails) };
    }
    case "eventRaised":
      return { kind: "signalled", atUs, signal: "event", name: eventType.value.name };
    case "executionSuspended":
      return { kind: "signalled", atUs, signal: "suspended" };
    case "executionResumed":
      return { kind: "signalled", atUs, signal: "resumed" };
    case "executionTerminated":
      return { kind: "signalled", atUs, signal: "terminated" };
    case "executionRewound":
      return { kind: "signalled", atUs, signal: "rewound" };
    case "entityOperationCompleted":
    case "entityOperationFailed":
      return { kind: "signalled", atUs, signal: "entity" };
    default:
      return undefined;
  }
}

interface AnswerDetails {
  readonly failed?: boolean;
  readonly failure?: MomentFailure;
  readonly output?: string;
}

function answered(atUs: number, what: Asked, id: number, more: AnswerDetails = {}): HistoryMoment {
  return { kind: "answered", atUs, id, what, failed: false, ...more };
}

function failedWith(details: Uint8Array | undefined): AnswerDetails {
  return { failed: true, ...failureOf(details) };
}

function failureOf(details: Uint8Array | undefined): Pick<AnswerDetails, "failure"> {
  if (details === undefined) return {};
  const { errorType: type, errorMessage: message } = readMessage(TaskFailureDetailsSchema, details);
  return { failure: { type, message } };
}
