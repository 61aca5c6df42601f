import {
  HistoryEventSchema,
  OrchestrationInstanceSchema,
  ParentInstanceInfoSchema,
  type HistoryEvent,
} from "../../protocol/durabletask_pb.js";
import { readMessage } from "../../protocol/messages.js";
import type { Action } from "../../protocol/orchestrator-actions.js";
import { checkTexts } from "../../protocol/wire.js";

/**
 * What a worker has made is read here, before anything is changed. Later it is part of a turn, where an error undoes what
 * others have done, and it is on disk, where an error ends each start of the emulator.
 *
 * @throws Error if something in the action cannot be read, or may not be there
 */
export function checkAction(action: Action): void {
  switch (action.kind) {
    case "task":
      checkTexts(action.task.input);
      break;
    case "child":
      checkTexts(action.child.input);
      break;
    case "signal":
      checkTexts(action.signal.input);
      break;
    case "terminate":
      checkTexts(action.termination.reason);
      break;
    case "end":
      checkTexts(action.end.result);
      action.end.carryoverEvents.forEach(checkCarriedOver);
      break;
    case "rewind":
      action.history.forEach(checkEvent);
      break;
    default:
  }
}

/** What somebody outside of an orchestration tells it: all that its next execution may be handed. */
const FROM_OUTSIDE: readonly HistoryEvent["eventType"]["case"][] = [
  "eventRaised",
  "executionSuspended",
  "executionResumed",
  "executionTerminated",
];

/** Any other event would have the next execution wait for what nobody has scheduled. */
function checkCarriedOver(bytes: Uint8Array): void {
  const type = checkEvent(bytes);
  if (!FROM_OUTSIDE.includes(type)) {
    throw new Error(
      `a carryover event is ${type ?? "of no known type"}, and has to be one of ${FROM_OUTSIDE.join(", ")}`,
    );
  }
}

/** Returns the type of the event. */
function checkEvent(bytes: Uint8Array): HistoryEvent["eventType"]["case"] {
  const { eventType } = readMessage(HistoryEventSchema, bytes);
  switch (eventType.case) {
    case "executionStarted": {
      const { version, input, orchestrationInstance, parentInstance } = eventType.value;
      checkTexts(version, input);
      if (orchestrationInstance !== undefined) checkInstance(orchestrationInstance);
      if (parentInstance !== undefined) checkParent(parentInstance);
      break;
    }
    case "taskScheduled":
    case "subOrchestrationInstanceCreated":
      checkTexts(eventType.value.version, eventType.value.input);
      break;
    case "taskCompleted":
    case "subOrchestrationInstanceCompleted":
    case "executionCompleted":
      checkTexts(eventType.value.result);
      break;
    case "eventRaised":
    case "eventSent":
    case "executionSuspended":
    case "executionResumed":
    case "executionTerminated":
      checkTexts(eventType.value.input);
      break;
    case "executionRewound":
      checkTexts(eventType.value.reason, eventType.value.parentExecutionId);
      break;
    default:
  }
  return eventType.case;
}

function checkParent(bytes: Uint8Array): void {
  const { name, version, orchestrationInstance } = readMessage(ParentInstanceInfoSchema, bytes);
  checkTexts(name, version);
  if (orchestrationInstance !== undefined) checkInstance(orchestrationInstance);
}

function checkInstance(bytes: Uint8Array): void {
  checkTexts(readMessage(OrchestrationInstanceSchema, bytes).executionId);
}
