import type { HistoryEvent } from "./durabletask_pb.js";
import { HistoryChunkSchema, HistoryEventSchema } from "./durabletask_pb.js";
import { microsecondsOf, readMessage } from "./messages.js";
import { textOf } from "./wire.js";

/** What an orchestrator may ask for and be answered. */
type Asked = "activity" | "timer" | "child";

/**
 * An event of a history, as far as it tells when something happened and why. Times are microseconds since the epoch by the
 * backend's clock. `id` is that of the action: an answer has the id of what was asked for.
 */
export type HistoryMoment =
  | { readonly kind: "execution-started"; readonly atUs: number }
  /** An episode begins. */
  | { readonly kind: "orchestrator-started"; readonly atUs: number }
  | {
      readonly kind: "asked";
      readonly atUs: number;
      readonly id: number;
      readonly what: Asked;
      /** Of a sub-orchestration. */
      readonly instanceId?: string;
    }
  | {
      readonly kind: "answered";
      readonly atUs: number;
      readonly id: number;
      readonly what: Asked;
      readonly failed: boolean;
      /** JSON text that an activity returned. */
      readonly output?: string;
    }
  /** From outside: an event was raised, or it was suspended, resumed, terminated or rewound. */
  | { readonly kind: "signalled"; readonly atUs: number }
  | { readonly kind: "ended"; readonly atUs: number };

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
      return { kind: "execution-started", atUs };
    case "orchestratorStarted":
      return { kind: "orchestrator-started", atUs };
    case "taskScheduled":
      return { kind: "asked", atUs, id, what: "activity" };
    case "timerCreated":
      return { kind: "asked", atUs, id, what: "timer" };
    case "subOrchestrationInstanceCreated":
      return { kind: "asked", atUs, id, what: "child", instanceId: eventType.value.instanceId };
    case "taskCompleted": {
      const { taskScheduledId, result } = eventType.value;
      return answered(atUs, "activity", taskScheduledId, { ...(result && { output: textOf(result) }) });
    }
    case "taskFailed":
      return answered(atUs, "activity", eventType.value.taskScheduledId, { failed: true });
    case "timerFired":
      return answered(atUs, "timer", eventType.value.timerId);
    case "subOrchestrationInstanceCompleted":
      return answered(atUs, "child", eventType.value.taskScheduledId);
    case "subOrchestrationInstanceFailed":
      return answered(atUs, "child", eventType.value.taskScheduledId, { failed: true });
    case "executionCompleted":
      return { kind: "ended", atUs };
    case "eventRaised":
    case "executionSuspended":
    case "executionResumed":
    case "executionTerminated":
    case "executionRewound":
    case "entityOperationCompleted":
    case "entityOperationFailed":
      return { kind: "signalled", atUs };
    default:
      return undefined;
  }
}

function answered(
  atUs: number,
  what: Asked,
  id: number,
  more: { readonly failed?: boolean; readonly output?: string } = {},
): HistoryMoment {
  return { kind: "answered", atUs, id, what, failed: false, ...more };
}
