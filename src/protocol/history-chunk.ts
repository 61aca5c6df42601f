import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ExecutionStartedEventSchema, HistoryChunkSchema, HistoryEventSchema } from "./durabletask_pb.js";
import { textOf } from "./wire.js";

const CHUNK_EVENTS = HistoryChunkSchema.field.events.number;
const EXECUTION_STARTED = HistoryEventSchema.field.executionStarted.number;
const INPUT_OF_EXECUTION = ExecutionStartedEventSchema.field.input.number;

/** Types of events by the field of `HistoryEvent` that has such an event: the field's name in capitals. */
const NAMES = new Map<number, string>(
  HistoryEventSchema.fields
    .filter(({ oneof }) => oneof !== undefined)
    .map(({ number, localName }) => [number, localName[0]!.toUpperCase() + localName.slice(1)]),
);

/**
 * What a history holds, counted over its chunks: of an event its type is read, and nothing that it carries. Types that
 * `durabletask.proto` does not have count nowhere.
 */
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
      const name = wireType === WireType.LengthDelimited ? NAMES.get(field) : undefined;
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
