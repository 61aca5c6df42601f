import { EMPTY_BYTES } from "./empty-bytes.js";
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { textOf } from "./wire.js";
import { fieldLength, int32Length, textFieldLength, writeInt32, writeTextField } from "./sized-fields.js";

/**
 * A worker's side of TaskHubSidecarService on the level of bytes: only the fields that a worker acts on are read. Field
 * numbers are those of orchestrator_service.proto.
 */
export type WorkItem =
  | {
      readonly kind: "orchestrator";
      readonly request: Uint8Array;
      readonly completionToken: string;
      /** Bytes of framed past events that the request leaves out at the beginning, because the worker knows them. */
      readonly knownHistory: number;
    }
  | { readonly kind: "activity"; readonly request: Uint8Array; readonly completionToken: string }
  /** Operations of an entity, in either of the two forms. */
  | { readonly kind: "entity"; readonly request: Uint8Array; readonly completionToken: string }
  | { readonly kind: "healthPing" }
  | { readonly kind: "other" };

/**
 * A field of WorkItem that our emulator and our workers have among themselves: `knownHistory`, a varint. Nobody else
 * knows the number, so no other backend sets it and every other worker skips it.
 */
export const KNOWN_HISTORY_FIELD = 1000;

export interface ActivityRequest {
  readonly name: string;
  /** JSON text, "" if there is none. */
  readonly input: string;
  readonly instanceId: string;
  readonly taskId: number;
}

/** Reads the outer message. Throws `RangeError` where the bytes end too early. */
export function readWorkItem(bytes: Uint8Array): WorkItem {
  const reader = readerOf(bytes);
  let kind: WorkItem["kind"] = "other";
  let request: Uint8Array = EMPTY_BYTES;
  let completionToken = "";
  let knownHistory = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    const asks = REQUESTS[field];
    if (asks !== undefined) {
      kind = asks;
      request = reader.bytes();
    } else if (field === 4) {
      kind = "healthPing";
      reader.skip(wireType, field);
    } else if (field === 10) {
      completionToken = reader.string();
    } else if (field === KNOWN_HISTORY_FIELD) {
      knownHistory = reader.uint32();
    } else {
      reader.skip(wireType, field);
    }
  }
  if (kind === "orchestrator") return { kind, request, completionToken, knownHistory };

  return kind === "activity" || kind === "entity" ? { kind, request, completionToken } : { kind };
}

/** Fields of WorkItem that ask for something to be run. */
const REQUESTS: Readonly<Record<number, "orchestrator" | "activity" | "entity">> = {
  1: "orchestrator",
  2: "activity",
  3: "entity",
  5: "entity",
};

export function readActivityRequest(bytes: Uint8Array): ActivityRequest {
  const reader = readerOf(bytes);
  let name = "";
  let input = "";
  let instanceId = "";
  let taskId = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) name = reader.string();
    else if (field === 3) input = textOf(reader.bytes());
    else if (field === 4) instanceId = textOf(reader.bytes());
    else if (field === 5) taskId = reader.int32();
    else reader.skip(wireType, field);
  }
  return { name, input, instanceId, taskId };
}

/** An ActivityResponse with a result: JSON text, or "" for an activity that returned nothing. */
export function writeActivityResult(
  { instanceId, taskId }: ActivityRequest,
  completionToken: string,
  result: string,
): Buffer {
  const resultLength = textFieldLength(result);
  const message = Buffer.allocUnsafe(
    textFieldLength(instanceId) +
      (1 + int32Length(taskId)) +
      fieldLength(resultLength) +
      textFieldLength(completionToken),
  );
  let offset = writeTextField(message, 0, 0x0a, instanceId);
  message[offset] = 0x10;
  offset = writeInt32(message, offset + 1, taskId);
  message[offset] = 0x1a;
  offset = writeInt32(message, offset + 1, resultLength);
  offset = writeTextField(message, offset, 0x0a, result);
  writeTextField(message, offset, 0x2a, completionToken);
  return message;
}

/** An ActivityResponse with the error in place of a result; `isNonRetriable` tells the SDK's retries not to bother. */
export function writeActivityFailure(
  { instanceId, taskId }: ActivityRequest,
  completionToken: string,
  error: unknown,
  isNonRetriable: boolean,
): Buffer {
  const writer = writeString(new BinaryWriter(), 1, instanceId).tag(2, WireType.Varint).int32(taskId);
  writer.tag(4, WireType.LengthDelimited).fork();
  writeFailure(writer, error, 0);
  if (isNonRetriable) writer.tag(5, WireType.Varint).bool(true);

  return bufferOf(writeString(writer.join(), 5, completionToken));
}

/** An OrchestratorResponse that asks for the episode again, with the whole history. */
export function writeHistoryRequest(instanceId: string, completionToken: string): Buffer {
  const writer = writeString(new BinaryWriter(), 1, instanceId);
  return bufferOf(writeString(writer, 4, completionToken).tag(7, WireType.Varint).bool(true));
}

/** An abandon request for an activity, an orchestration or an entity: all are the token alone. */
export function writeAbandon(completionToken: string): Buffer {
  return bufferOf(writeString(new BinaryWriter(), 1, completionToken));
}

const MAX_CAUSES = 10;

/** The fields of a TaskFailureDetails, with the chain of causes inside. */
function writeFailure(writer: BinaryWriter, error: unknown, depth: number): void {
  if (!(error instanceof Error)) {
    writeString(writer, 1, "UnknownError");
    writeString(writer, 2, String(error));
    return;
  }
  writeString(writer, 1, error.name);
  writeString(writer, 2, error.message);
  if (error.stack !== undefined) {
    writer.tag(3, WireType.LengthDelimited).fork();
    writeString(writer, 1, error.stack).join();
  }
  // A chain of causes may be a circle.
  if (error.cause !== undefined && error.cause !== null && depth < MAX_CAUSES) {
    writer.tag(4, WireType.LengthDelimited).fork();
    writeFailure(writer, error.cause, depth + 1);
    writer.join();
  }
}

function writeString(writer: BinaryWriter, field: number, text: string): BinaryWriter {
  return text === "" ? writer : writer.tag(field, WireType.LengthDelimited).string(text);
}

/** The SDK's decoder copies a Buffer but not a Uint8Array, so what is cut from a frame must not be a Buffer. */
function readerOf(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function bufferOf(writer: BinaryWriter): Buffer {
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
