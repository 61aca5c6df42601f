import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { textOf } from "./wire.js";

/** Types of events by their number: the field of HistoryEvent that has such an event. */
const NAMES: Readonly<Record<number, string>> = {
  3: "ExecutionStarted",
  4: "ExecutionCompleted",
  5: "ExecutionTerminated",
  6: "TaskScheduled",
  7: "TaskCompleted",
  8: "TaskFailed",
  9: "SubOrchestrationInstanceCreated",
  10: "SubOrchestrationInstanceCompleted",
  11: "SubOrchestrationInstanceFailed",
  12: "TimerCreated",
  13: "TimerFired",
  14: "OrchestratorStarted",
  15: "OrchestratorCompleted",
  16: "EventSent",
  17: "EventRaised",
  18: "GenericEvent",
  19: "HistoryState",
  20: "ContinueAsNew",
  21: "ExecutionSuspended",
  22: "ExecutionResumed",
  23: "EntityOperationSignaled",
  24: "EntityOperationCalled",
  25: "EntityOperationCompleted",
  26: "EntityOperationFailed",
  27: "EntityLockRequested",
  28: "EntityLockGranted",
  29: "EntityUnlockSent",
  30: "ExecutionRewound",
};
const CHUNK_EVENTS = 1;
const EXECUTION_STARTED = 3;
const INPUT_OF_EXECUTION = 3;

/** What a history holds, counted over its chunks: of an event its type is read, and nothing that it carries. */
export class HistoryTally {
  /** Events by the name of their type; one that has none counts nowhere. */
  readonly events: Record<string, number> = {};
  /** JSON text that the execution was started with. */
  input: string | undefined;

  /**
   * Takes in a HistoryChunk.
   * @throws Error for what is none
   */
  add(chunk: Uint8Array): void {
    const reader = new BinaryReader(chunk);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === CHUNK_EVENTS && wireType === WireType.LengthDelimited) this.#addEvent(reader.bytes());
      else reader.skip(wireType, field);
    }
  }

  #addEvent(event: Uint8Array): void {
    const reader = new BinaryReader(event);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      const name = wireType === WireType.LengthDelimited ? NAMES[field] : undefined;
      if (name === undefined) {
        reader.skip(wireType, field);
        continue;
      }
      this.events[name] = (this.events[name] ?? 0) + 1;
      const body = reader.bytes();
      if (field === EXECUTION_STARTED) this.input = inputOf(body);
    }
  }
}

function inputOf(executionStarted: Uint8Array): string | undefined {
  const reader = new BinaryReader(executionStarted);
  let input: string | undefined;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === INPUT_OF_EXECUTION && wireType === WireType.LengthDelimited) input = textOf(reader.bytes());
    else reader.skip(wireType, field);
  }
  return input;
}
