import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/**
 * A worker's side of TaskHubSidecarService on the level of bytes: the orchestrator's request goes to the SDK as it
 * came, and only the fields that a worker acts on are read. Field numbers are those of orchestrator_service.proto.
 */
export type WorkItem =
  | { readonly kind: "orchestrator"; readonly request: Uint8Array; readonly completionToken: string }
  | { readonly kind: "activity"; readonly request: Uint8Array; readonly completionToken: string }
  | { readonly kind: "healthPing" }
  | { readonly kind: "other" };

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
  let request: Uint8Array = NOTHING;
  let completionToken = "";
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 || field === 2) {
      kind = field === 1 ? "orchestrator" : "activity";
      request = reader.bytes();
    } else if (field === 4) {
      kind = "healthPing";
      reader.skip(wireType, field);
    } else if (field === 10) {
      completionToken = reader.string();
    } else {
      reader.skip(wireType, field);
    }
  }
  return kind === "orchestrator" || kind === "activity" ? { kind, request, completionToken } : { kind };
}

export function readActivityRequest(bytes: Uint8Array): ActivityRequest {
  const reader = readerOf(bytes);
  let name = "";
  let input = "";
  let instanceId = "";
  let taskId = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      name = reader.string();
    } else if (field === 3) {
      input = readFirstString(reader.bytes());
    } else if (field === 4) {
      instanceId = readFirstString(reader.bytes());
    } else if (field === 5) {
      taskId = reader.int32();
    } else {
      reader.skip(wireType, field);
    }
  }
  return { name, input, instanceId, taskId };
}

/** An ActivityResponse with a result: JSON text, or "" for an activity that returned nothing. */
export function writeActivityResult(request: ActivityRequest, completionToken: string, result: string): Buffer {
  const writer = writeActivityHead(request);
  writer.tag(3, WireType.LengthDelimited).fork();
  writeString(writer, 1, result).join();
  return bufferOf(writeString(writer, 5, completionToken));
}

/** An ActivityResponse with the error in place of a result; `isNonRetriable` tells the SDK's retries not to bother. */
export function writeActivityFailure(
  request: ActivityRequest,
  completionToken: string,
  error: unknown,
  isNonRetriable: boolean,
): Buffer {
  const writer = writeActivityHead(request);
  writer.tag(4, WireType.LengthDelimited).fork();
  writeFailure(writer, error, 0);
  if (isNonRetriable) {
    writer.tag(5, WireType.Varint).bool(true);
  }
  return bufferOf(writeString(writer.join(), 5, completionToken));
}

/** Adds the token to an encoded OrchestratorResponse: of a field that comes twice, protobuf takes the last. */
export function withCompletionToken(response: Uint8Array, completionToken: string): Buffer {
  return Buffer.concat([response, writeString(new BinaryWriter(), 4, completionToken).finish()]);
}

/** An AbandonActivityTaskRequest or AbandonOrchestrationTaskRequest: both are the token alone. */
export function writeAbandon(completionToken: string): Buffer {
  return bufferOf(writeString(new BinaryWriter(), 1, completionToken));
}

const NOTHING = new Uint8Array(0);
const MAX_CAUSES = 10;

function writeActivityHead({ instanceId, taskId }: ActivityRequest): BinaryWriter {
  return writeString(new BinaryWriter(), 1, instanceId).tag(2, WireType.Varint).int32(taskId);
}

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

/** The first string of a message that starts with one: a StringValue, or the id of an OrchestrationInstance. */
function readFirstString(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) {
      return reader.string();
    }
    reader.skip(wireType, field);
  }
  return "";
}

/** The SDK's decoder copies a Buffer but not a Uint8Array, so what is cut from a frame must not be a Buffer. */
function readerOf(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function bufferOf(writer: BinaryWriter): Buffer {
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
