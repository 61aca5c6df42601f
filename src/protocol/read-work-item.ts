import type { MessageInitShape } from "@bufbuild/protobuf";
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import {
  AbandonTaskRequestSchema,
  ActivityRequestSchema,
  ActivityResponseSchema,
  OrchestratorResponseSchema,
  TaskFailureDetailsSchema,
  WorkItemSchema,
} from "./durabletask_pb.js";
import { EMPTY_BYTES } from "./empty-bytes.js";
import { fieldNumbers, lengthTag, varintTag } from "./fields.js";
import { writeMessage } from "./messages.js";
import { fieldLength, int32Length, textFieldLength, writeInt32, writeTextField } from "./sized-fields.js";
import { textOf } from "./wire.js";

const Item = fieldNumbers(WorkItemSchema);
const Activity = fieldNumbers(ActivityRequestSchema);
const Response = fieldNumbers(ActivityResponseSchema);

/** The worker's side of TaskHubSidecarService on the level of bytes. Only the fields that a worker uses are read. */
export type WorkItem =
  | {
      readonly kind: "orchestrator";
      readonly request: Uint8Array;
      readonly completionToken: string;
      /** The size of the first framed past events that the request omits, because the worker knows them. */
      readonly knownHistory: number;
    }
  | { readonly kind: "activity"; readonly request: Uint8Array; readonly completionToken: string }
  /** Operations of an entity, in either of the two forms. */
  | { readonly kind: "entity"; readonly request: Uint8Array; readonly completionToken: string }
  | { readonly kind: "healthPing" }
  | { readonly kind: "other" };

export interface ActivityRequest {
  readonly name: string;
  /** JSON text, "" if there is none. */
  readonly input: string;
  readonly instanceId: string;
  readonly taskId: number;
}

/**
 * Reads the outer message.
 * @throws RangeError if the bytes end too early
 */
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
    } else if (field === Item.healthPing) {
      kind = "healthPing";
      reader.skip(wireType, field);
    } else if (field === Item.completionToken) {
      completionToken = reader.string();
    } else if (field === Item.knownHistory) {
      knownHistory = reader.uint32();
    } else {
      reader.skip(wireType, field);
    }
  }
  if (kind === "orchestrator") return { kind, request, completionToken, knownHistory };

  return kind === "activity" || kind === "entity" ? { kind, request, completionToken } : { kind };
}

/** The fields of WorkItem that ask for an execution. */
const REQUESTS: Readonly<Record<number, "orchestrator" | "activity" | "entity">> = {
  [Item.orchestratorRequest]: "orchestrator",
  [Item.activityRequest]: "activity",
  [Item.entityRequest]: "entity",
  [Item.entityRequestV2]: "entity",
};

export function readActivityRequest(bytes: Uint8Array): ActivityRequest {
  const reader = readerOf(bytes);
  let name = "";
  let input = "";
  let instanceId = "";
  let taskId = 0;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === Activity.name) name = reader.string();
    else if (field === Activity.input) input = textOf(reader.bytes());
    else if (field === Activity.orchestrationInstance) instanceId = textOf(reader.bytes());
    else if (field === Activity.taskId) taskId = reader.int32();
    else reader.skip(wireType, field);
  }
  return { name, input, instanceId, taskId };
}

const INSTANCE_ID = lengthTag(Response.instanceId);
const TASK_ID = varintTag(Response.taskId);
const RESULT = lengthTag(Response.result);
const COMPLETION_TOKEN = lengthTag(Response.completionToken);
/** Of a StringValue. */
const TEXT = lengthTag(StringValueSchema.field.value.number);

/** An ActivityResponse with a result: JSON text, or "" for an activity without a result. */
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
  let offset = writeTextField(message, 0, INSTANCE_ID, instanceId);
  message[offset] = TASK_ID;
  offset = writeInt32(message, offset + 1, taskId);
  message[offset] = RESULT;
  offset = writeInt32(message, offset + 1, resultLength);
  offset = writeTextField(message, offset, TEXT, result);
  writeTextField(message, offset, COMPLETION_TOKEN, completionToken);
  return message;
}

/** An ActivityResponse with an error instead of a result. `isNonRetriable` tells the SDK not to retry. */
export function writeActivityFailure(
  { instanceId, taskId }: ActivityRequest,
  completionToken: string,
  error: unknown,
  isNonRetriable: boolean,
): Buffer {
  const details = { ...failureOf(error, 0), ...(isNonRetriable && { isNonRetriable }) };
  return writeMessage(ActivityResponseSchema, {
    instanceId,
    taskId,
    failureDetails: writeMessage(TaskFailureDetailsSchema, details),
    completionToken,
  });
}

/** An OrchestratorResponse that asks for the episode again, with the whole history. */
export function writeHistoryRequest(instanceId: string, completionToken: string): Buffer {
  return writeMessage(OrchestratorResponseSchema, { instanceId, completionToken, requiresHistory: true });
}

/** An abandon request for an activity, an orchestration or an entity. Each consists of the token alone. */
export function writeAbandon(completionToken: string): Buffer {
  return writeMessage(AbandonTaskRequestSchema, { completionToken });
}

const MAX_CAUSES = 10;

/** A TaskFailureDetails, with the chain of causes inside. */
function failureOf(error: unknown, depth: number): MessageInitShape<typeof TaskFailureDetailsSchema> {
  if (!(error instanceof Error)) return { errorType: "UnknownError", errorMessage: String(error) };

  // A chain of causes may be circular.
  const hasCause = error.cause !== undefined && error.cause !== null && depth < MAX_CAUSES;
  return {
    errorType: error.name,
    errorMessage: error.message,
    stackTrace: error.stack,
    ...(hasCause && { innerFailure: failureOf(error.cause, depth + 1) }),
  };
}

/** The SDK's decoder copies a Buffer but not a Uint8Array, so a part of a frame must not be a Buffer. */
function readerOf(bytes: Uint8Array): BinaryReader {
  return new BinaryReader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
