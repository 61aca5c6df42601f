import { BinaryReader } from "./wire.js";

/**
 * A history is the events of an execution, each framed as a field of `OrchestratorRequest`, one behind the other: it goes
 * into a work item by one copy.
 */

/** Tag bytes that frame an event: `pastEvents` and `newEvents` of OrchestratorRequest, `events` of HistoryChunk. */
export const PAST_EVENT = 0x1a;
export const NEW_EVENT = 0x22;
export const CHUNK_EVENT = 0x0a;

/** Bytes that one event takes in a frame. */
export function framedLength(event: Uint8Array): number {
  return 1 + varintLength(event.length) + event.length;
}

/** Writes an event with its frame at `offset`; returns the offset behind it. */
export function writeFramed(target: Uint8Array, offset: number, tag: number, event: Uint8Array): number {
  target[offset] = tag;
  const start = writeVarint(target, offset + 1, event.length);
  target.set(event, start);
  return start + event.length;
}

/** Bytes that events take in frames. */
export function framedBytes(events: readonly Uint8Array[]): number {
  return events.reduce((length, event) => length + framedLength(event), 0);
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

export function varintLength(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  while (value > 0x7f) {
    target[offset++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  target[offset++] = value;
  return offset;
}

/** A framed history that grows: appending doubles the room, and its bytes are one slice. */
export class History {
  #bytes: Uint8Array;
  #length: number;

  constructor(framed: Uint8Array) {
    this.#bytes = framed;
    this.#length = framed.length;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  append(framed: Uint8Array): void {
    const length = this.#length + framed.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(framed, this.#length);
    this.#length = length;
  }
}
