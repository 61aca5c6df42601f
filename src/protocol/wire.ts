import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * Protobuf on the level of fields. Histories and payloads are kept as the bytes they arrived in and copied from there
 * into what is sent, so the emulator reads tags and lengths and hardly ever decodes a message.
 */
export { BinaryReader, BinaryWriter, WireType };

/** Bytes of an encoded `google.protobuf.StringValue`: how inputs, outputs and statuses are kept. */
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
  return fieldString(new BinaryWriter(), 1, text).finish();
}

/** An encoded `TaskFailureDetails`. */
export function failureDetails(errorType: string, message: string): Uint8Array {
  return fieldString(fieldString(new BinaryWriter(), 1, errorType), 2, message).finish();
}

/**
 * The text of a message whose first field is one: a StringValue, the id of an OrchestrationInstance, the name in an
 * ExecutionStartedEvent. "" where it is absent.
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

/**
 * A `google.protobuf.Timestamp` as microseconds since the epoch. Times outside of 1970 to 2255, which programs send for
 * "always" and "never", become the nearest inside: microseconds are exact there, in JavaScript and in the database.
 */
function timestampUs(message: Uint8Array): number {
  const reader = new BinaryReader(message);
  let us = 0;
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    if (no === 1) us += Number(reader.int64()) * 1e6;
    else if (no === 2) us += Math.floor(reader.int32() / 1000);
    else reader.skip(type, no);
  }
  return Math.min(Math.max(us, 0), Number.MAX_SAFE_INTEGER);
}

type FieldKind = "string" | "int32" | "bool" | "bytes" | "strings" | "messages" | "enums" | "timestamp" | "stringValue";

interface FieldTypes {
  /** "" if absent. */
  string: string;
  /** 0 if absent. */
  int32: number;
  bool: boolean;
  /** An embedded message (or bytes) as it is on the wire. */
  bytes: Uint8Array | undefined;
  strings: string[];
  messages: Uint8Array[];
  enums: number[];
  /** Microseconds since the epoch, 0 if absent. */
  timestamp: number;
  /** The text of a `google.protobuf.StringValue`. */
  stringValue: string | undefined;
}

export type Schema = Readonly<Record<string, readonly [fieldNo: number, kind: FieldKind]>>;

export type Message<S extends Schema> = { -readonly [K in keyof S]: FieldTypes[S[K][1]] };

/** What reading a message needs of its schema: fields by their numbers, and the message that has none of them. */
interface CompiledSchema {
  readonly fields: ReadonlyMap<number, { readonly name: string; readonly kind: FieldKind }>;
  readonly empty: () => Record<string, unknown>;
}

const compiledSchemas = new WeakMap<Schema, CompiledSchema>();

function compiled(schema: Schema): CompiledSchema {
  const known = compiledSchemas.get(schema);
  if (known !== undefined) return known;

  const entries = Object.entries(schema);
  const scalars = Object.fromEntries(entries.map(([name, [, kind]]) => [name, absent(kind)]));
  const lists = entries.filter(([, [, kind]]) => Array.isArray(absent(kind))).map(([name]) => name);
  const result: CompiledSchema = {
    fields: new Map(entries.map(([name, [fieldNo, kind]]) => [fieldNo, { name, kind }])),
    empty: () => {
      const message = { ...scalars };
      for (const name of lists) message[name] = [];

      return message;
    },
  };
  compiledSchemas.set(schema, result);
  return result;
}

/**
 * Reads the fields of a message that a schema names and skips all others, so that newer clients are understood.
 * Throws an Error on bytes that are not protobuf.
 */
export function decode<S extends Schema>(schema: S, bytes: Uint8Array): Message<S> {
  const { fields, empty } = compiled(schema);
  const message = empty();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [no, type] = reader.tag();
    const field = fields.get(no);
    if (field === undefined) reader.skip(type, no);
    else message[field.name] = readField(reader, field.kind, type, message[field.name]);
  }
  return message as Message<S>;
}

function absent(kind: FieldKind): unknown {
  switch (kind) {
    case "string":
      return "";
    case "int32":
    case "timestamp":
      return 0;
    case "bool":
      return false;
    case "bytes":
    case "stringValue":
      return undefined;
    default:
      return [];
  }
}

function readField(reader: BinaryReader, kind: FieldKind, type: WireType, before: unknown): unknown {
  switch (kind) {
    case "string":
      return reader.string();
    case "int32":
      return reader.int32();
    case "bool":
      return reader.bool();
    case "bytes":
      return reader.bytes();
    case "timestamp":
      return timestampUs(reader.bytes());
    case "stringValue":
      return textOf(reader.bytes());
    case "strings":
      return append(before, reader.string());
    case "messages":
      return append(before, reader.bytes());
    default:
      return [...(before as number[]), ...readEnums(reader, type)];
  }
}

/** Adds to the list that `absent` has made for this message: a copy for each element would cost the square. */
function append(list: unknown, element: unknown): unknown {
  (list as unknown[]).push(element);
  return list;
}

/** Repeated enums arrive packed from proto3 writers, one by one from others. */
function readEnums(reader: BinaryReader, type: WireType): number[] {
  if (type !== WireType.LengthDelimited) return [reader.int32()];

  const values: number[] = [];
  const end = reader.uint32() + reader.pos;
  while (reader.pos < end) values.push(reader.int32());

  return values;
}
