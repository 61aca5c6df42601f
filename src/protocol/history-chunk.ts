import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { ExecutionStartedEventSchema, HistoryChunkSchema, HistoryEventSchema } from "./durabletask_pb.js";
import { textOf } from "./wire.js";

const CHUNK_EVENTS = HistoryChunkSchema.field.events.number;
const EXECUTION_STARTED = HistoryEventSchema.field.executionStarted.number;
const INPUT_OF_EXECUTION = ExecutionStartedEventSchema.field.input.number;

/** The types of events by their field in `HistoryEvent`: the field's name with a capital first letter. */
const NAMES = new Map<number, string>(
  HistoryEventSchema.fields
    .filter(({ oneof }) => oneof !== undefined)
    .map(({ number, localName }) => [number, localName[0]!.toUpperCase() + localName.slice(1)]),
);

/**
 * Counts the events of a history over its chunks. Of most events only the type is read. Types that are not in
 * `durabletask.proto` are not counted.
 */
export class HistoryTally {
  /** The number of events by the name of their type. */
  readonly events: Record<string, number> = {};
  /** The input of the execution as JSON text. */
  input: string | undefined;

  /**
   * Adds a HistoryChunk.
   * @throws Error if it is none
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
