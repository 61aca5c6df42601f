import { ExecutionStartedEventSchema, OrchestrationInstanceSchema } from "./durabletask_pb.js";
import { EMPTY_BYTES } from "./empty-bytes.js";
import { EventType, viewEvent } from "./history-event.js";
import { readMessage } from "./messages.js";
import { textOf } from "./wire.js";

export interface RewindHistory {
  readonly executionId: string;
  /** ParentInstanceInfo, which names the parent's new execution if the parent was rewound. */
  readonly parent: Uint8Array | undefined;
  /** The events from which the orchestration continues. */
  readonly history: readonly Uint8Array[];
  /** The event of the rewind, taken from the end of the history. */
  readonly rewound: readonly Uint8Array[];
}

/** Reads the history that a worker has made for a rewind. It no longer contains the failures. */
export function rewindHistory(newHistory: readonly Uint8Array[], executionId: string): RewindHistory {
  const last = newHistory.at(-1);
  const end = last !== undefined && viewEvent(last).type === EventType.ExecutionRewound ? -1 : newHistory.length;
  const started = newHistory.map(viewEvent).find(({ type }) => type === EventType.ExecutionStarted);
  const startedEvent = readMessage(ExecutionStartedEventSchema, started?.body ?? EMPTY_BYTES);
  const named = readMessage(OrchestrationInstanceSchema, startedEvent.orchestrationInstance ?? EMPTY_BYTES).executionId;
  return {
    executionId: named === undefined ? executionId : textOf(named),
    parent: startedEvent.parentInstance,
    history: newHistory.slice(0, end),
    rewound: end === -1 ? newHistory.slice(-1) : [],
  };
}
