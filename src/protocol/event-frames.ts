import { HistoryChunkSchema, OrchestratorRequestSchema } from "./durabletask_pb.js";
import { lengthTag } from "./fields.js";
import { fieldLength, writeInt32 } from "./sized-fields.js";
import { BinaryReader } from "./wire.js";

/**
 * A history is the sequence of an execution's events, each framed as a field of a message: `tag length event`. One copy
 * puts it into a work item. The tag is one byte, and the only difference between past and new events.
 */

/** Tags of the fields `pastEvents` and `newEvents` of OrchestratorRequest, and `events` of HistoryChunk. */
export const PAST_EVENT = lengthTag(OrchestratorRequestSchema.field.pastEvents.number);
export const NEW_EVENT = lengthTag(OrchestratorRequestSchema.field.newEvents.number);
export const CHUNK_EVENT = lengthTag(HistoryChunkSchema.field.events.number);

/** Writes an event with its frame at `offset`. Returns the offset behind it. */
export function writeFramed(target: Uint8Array, offset: number, tag: number, event: Uint8Array): number {
  target[offset] = tag;
  const start = writeInt32(target, offset + 1, event.length);
  target.set(event, start);
  return start + event.length;
}

/** The size of the events with their frames. */
export function framedBytes(events: readonly Uint8Array[]): number {
  return events.reduce((length, event) => length + fieldLength(event.length), 0);
}

export function frame(tag: number, events: readonly Uint8Array[]): Uint8Array {
  const framed = Buffer.allocUnsafe(framedBytes(events));
  let offset = 0;
  for (const event of events) offset = writeFramed(framed, offset, tag, event);

  return framed;
}

/** The events of a framed history, in order. */
export function* unframe(framed: Uint8Array): Generator<Uint8Array> {
  const reader = new BinaryReader(framed);
  while (reader.pos < reader.len) {
    reader.tag();
    yield reader.bytes();
  }
}

/**
 * The offset behind the framed event at an offset.
 * @throws RangeError if the bytes end too early
 */
export function frameEnd(bytes: Uint8Array, offset: number): number {
  let position = offset + 1;
  let length = 0;
  for (let unit = 1; ; unit *= 0x80) {
    const byte = bytes[position++];
    if (byte === undefined) throw new RangeError(`The length of the event at byte ${offset} is cut off`);

    length += (byte & 0x7f) * unit;
    if (byte < 0x80) break;
  }
  if (position + length > bytes.length)
    throw new RangeError(`The event at byte ${offset} is cut off: expected ${length} bytes of it`);

  return position + length;
}

/**
 * The offset behind the consecutive events with that tag, from an offset on.
 * @throws RangeError if the bytes end too early
 */
export function runEnd(bytes: Uint8Array, offset: number, tag: number): number {
  let end = offset;
  while (bytes[end] === tag) end = frameEnd(bytes, end);

  return end;
}

/**
 * The offset behind the framed events from an offset on that end at `limit` or earlier. If the first one ends later,
 * the offset behind it.
 * @throws RangeError if the bytes end too early
 */
export function framesWithin(bytes: Uint8Array, offset: number, limit: number): number {
  let end = frameEnd(bytes, offset);
  while (end < limit) {
    const next = frameEnd(bytes, end);
    if (next > limit) break;

    end = next;
  }
  return end;
}

/** Turns framed events into past ones, as a backend does when it appends them to a history. */
export function markAsPast(framed: Uint8Array): void {
  for (let offset = 0; offset < framed.length; offset = frameEnd(framed, offset)) framed[offset] = PAST_EVENT;
}

/** Whether the wanted bytes are at an offset. */
export function standsAt(bytes: Uint8Array, offset: number, wanted: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(offset, offset + wanted.length), wanted) === 0;
}

/** The first events of a history: their number, and their size with frames. */
export interface EventPrefix {
  readonly count: number;
  readonly bytes: number;
}

/** The common first events of a framed history and of other bytes at an offset. */
export function commonEvents(framed: Uint8Array, other: Uint8Array, offset: number): EventPrefix {
  let equal = 0;
  while (equal < framed.length && framed[equal] === other[offset + equal]) equal += 1;

  let count = 0;
  let bytes = 0;
  while (bytes < equal) {
    const end = frameEnd(framed, bytes);
    if (end > equal) break;

    count += 1;
    bytes = end;
  }
  return { count, bytes };
}
