import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * Protobuf on the level of fields, for the codecs by hand. Histories and payloads stay the bytes that arrived, and are
 * copied into what is sent. Of most messages the emulator reads only tags and lengths.
 */
export { BinaryReader, BinaryWriter, WireType };

/** The bytes of an encoded `google.protobuf.StringValue`, the form of inputs, outputs and statuses. */
export type StringValueBytes = Uint8Array;

export function fieldBytes(writer: BinaryWriter, fieldNo: number, bytes: Uint8Array | undefined): BinaryWriter {
  return bytes === undefined ? writer : writer.tag(fieldNo, WireType.LengthDelimited).bytes(bytes);
}

export function fieldString(writer: BinaryWriter, fieldNo: number, text: string): BinaryWriter {
  return text === "" ? writer : writer.tag(fieldNo, WireType.LengthDelimited).string(text);
}

export function fieldInt32(writer: BinaryWriter, fieldNo: number, value: number): BinaryWriter {
  return value === 0 ? writer : writer.tag(fieldNo, WireType.Varint).int32(value);
}

/** A `google.protobuf.Timestamp` of microseconds since the epoch; 0 leaves it out. */
export function fieldTimestamp(writer: BinaryWriter, fieldNo: number, us: number): BinaryWriter {
  if (us === 0) return writer;

  const seconds = Math.floor(us / 1e6);
  writer.tag(fieldNo, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.Varint);
  // Seconds since 1970 fit in 32 unsigned bits until 2106, and as a varint they read the same as an int64.
  if (seconds < 2 ** 32) writer.uint32(seconds);
  else writer.int64(seconds);

  return fieldInt32(writer, 2, (us - seconds * 1e6) * 1000).join();
}

export function stringValue(text: string): StringValueBytes {
  return written((writer) => fieldString(writer, 1, text));
}

/** Writers that nobody uses at present. A new one would allocate its memory, and more of it as it grows. */
const idle: BinaryWriter[] = [];

/** A writer that grew beyond this is dropped, so that its memory is freed. */
const KEPT_BYTES = 65_536;

/** What `write` writes. It may call `written` itself. */
export function written(write: (writer: BinaryWriter) => unknown): Uint8Array {
  const writer = idle.pop() ?? new BinaryWriter();
  write(writer);
  const bytes = writer.finish();
  if (bytes.length <= KEPT_BYTES) idle.push(writer);
  return bytes;
}

/** @throws Error if `textOf` could not read one of the messages, or would misread it. It decodes no text. */
export function checkTexts(...messages: readonly (Uint8Array | undefined)[]): void {
  for (const message of messages) if (message !== undefined) checkText(message);
}

function checkText(message: Uint8Array): void {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (no === 1 && type !== WireType.LengthDelimited) throw new Error(`a text has the wire type ${type}`);

    reader.skip(type, no);
  }
}

/**
 * The text of a message whose first field is one: a StringValue, the id of an OrchestrationInstance, the name in an
 * ExecutionStartedEvent. "" if it is absent.
 */
export function textOf(message: Uint8Array): string {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (no === 1) return reader.string();

    reader.skip(type, no);
  }
  return "";
}
