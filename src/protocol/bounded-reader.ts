import { isUtf8 } from "node:buffer";
import jspb from "google-protobuf";

/** The limit of protobuf's own implementations. */
const MOST_DEPTH = 100;
/**
 * The limit of nested messages in one message. A history has three for each event, which leaves room for very long
 * ones.
 */
const MOST_MESSAGES = 1_000_000;
/** A length of 32 bits. */
const MOST_LENGTH_BYTES = 5;

const WireType = { LengthDelimited: 2, StartGroup: 3, EndGroup: 4 } as const;

type Read<T> = (message: T, reader: unknown) => void;

/** The part of google-protobuf's reader that is extended here, with its actual types. */
interface Reader {
  nextField(): boolean;
  getWireType(): number;
  getCursor(): number;
  readMessage<T>(message: T, read: Read<T>): void;
}

const BinaryReader = jspb.BinaryReader as unknown as new (bytes: Uint8Array) => Reader;

/**
 * google-protobuf's reader trusts every length: 4 GiB in a message of seven bytes keep it busy for minutes. This reader
 * checks each length against the end of the enclosing message, and bounds the depth and the number of messages. It
 * refuses groups, which this protocol does not have.
 */
export class BoundedReader extends BinaryReader {
  readonly #bytes: Uint8Array;
  /** The end of the current message. */
  #end: number;
  /** The end of the field that `nextField` has found, if it has a length. */
  #fieldEnd = 0;
  #depth = 0;
  #messages = 0;

  constructor(bytes: Uint8Array) {
    super(bytes);
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** @throws Error if it is no field */
  override nextField(): boolean {
    if (!super.nextField()) return false;
    const type = this.getWireType();
    if (type === WireType.LengthDelimited) this.#fieldEnd = endOfField(this.#bytes, this.getCursor(), this.#end);
    else if (type === WireType.StartGroup || type === WireType.EndGroup) throw new RangeError("It has a group");
    return true;
  }

  /** @throws Error if it is no message */
  override readMessage<T>(message: T, read: Read<T>): void {
    this.#messages += 1;
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw new RangeError(`It is deeper than ${MOST_DEPTH} messages`);
    if (this.#messages > MOST_MESSAGES) throw new RangeError(`It holds more than ${MOST_MESSAGES} messages`);
    const outerEnd = this.#end;
    this.#end = this.#fieldEnd;
    if (message instanceof jspb.Map) checkMapEntry(this.#bytes, this.getCursor(), this.#end);
    super.readMessage(message, read);
    this.#end = outerEnd;
    this.#depth -= 1;
  }
}

/** The end of a field whose length is at an offset. */
function endOfField(bytes: Uint8Array, offset: number, mostEnd: number): number {
  let length = 0;
  for (let index = 0; index < MOST_LENGTH_BYTES; index += 1) {
    const byte = bytes[offset + index];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 0x80 ** index;
    if (byte >= 0x80) continue;
    const end = offset + index + 1 + length;
    if (end <= mostEnd) return end;
    throw new RangeError(`The field at byte ${offset} is ${length} bytes long, ${end - mostEnd} beyond its message`);
  }
  throw new RangeError(`The length at byte ${offset} is cut off`);
}

/**
 * google-protobuf reads the entries of maps itself, past the methods that are overridden here. Therefore they must have
 * the form that writers produce: a key, which is text, and then a value. Either may be missing.
 */
function checkMapEntry(bytes: Uint8Array, lengthAt: number, end: number): void {
  let position = lengthAt;
  while (bytes[position]! >= 0x80) position += 1;
  position += 1;
  if (bytes[position] === KEY_TAG) {
    const keyEnd = endOfField(bytes, position + 1, end);
    if (!isUtf8(bytes.subarray(position + 1, keyEnd))) throw new RangeError("The key of a map is no text");
    position = keyEnd;
  }
  if (position < end && bytes[position] === VALUE_TAG) position = endOfField(bytes, position + 1, end);
  if (position !== end) throw new RangeError("The entry of a map is no key and value");
}

const KEY_TAG = 0x0a;
const VALUE_TAG = 0x12;
