import { BinaryReader } from "@bufbuild/protobuf/wire";
import { NEW_EVENT, PAST_EVENT, runEnd } from "./event-frames.js";
import { HistoryEventSchema, OrchestratorRequestSchema } from "./durabletask_pb.js";
import { fieldNumbers } from "./fields.js";
import { textOf } from "./wire.js";

const Request = fieldNumbers(OrchestratorRequestSchema);
/** The field of an ExecutionStartedEvent, which begins with its name. */
const EXECUTION_STARTED = HistoryEventSchema.field.executionStarted.number;

/**
 * The fields before the history in an encoded OrchestratorRequest. Writers put fields in the order of their numbers.
 */
export interface RequestHead {
  /** "" if it is not before the history. */
  readonly instanceId: string;
  /** "" if there is none, or if it is not before the history. */
  readonly executionId: string;
  /** The offset of the first event, past or new; the length of the request without events. */
  readonly historyStart: number;
}

/** @throws Error if the bytes are no message */
export function readRequestHead(request: Uint8Array): RequestHead {
  const reader = new BinaryReader(request);
  let instanceId = "";
  let executionId = "";
  while (reader.pos < reader.len) {
    const historyStart = reader.pos;
    const [field, wireType] = reader.tag();
    if (isHistory(field)) return { instanceId, executionId, historyStart };

    if (field === Request.instanceId) instanceId = reader.string();
    else if (field === Request.executionId) executionId = textOf(reader.bytes());
    else reader.skip(wireType, field);
  }
  return { instanceId, executionId, historyStart: reader.len };
}

/**
 * The name of the requested orchestrator, from the first ExecutionStarted event at or after an offset; undefined if
 * there is none.
 * @throws Error if the bytes are no message
 */
export function readOrchestratorName(request: Uint8Array, historyStart: number): string | undefined {
  const reader = new BinaryReader(request);
  reader.pos = historyStart;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (!isHistory(field)) {
      reader.skip(wireType, field);
      continue;
    }
    const started = readField(reader.bytes(), EXECUTION_STARTED);
    if (started !== undefined) return textOf(started);
  }
  return undefined;
}

/** The bytes of a field of a message; undefined if it has no such field. */
function readField(message: Uint8Array, wanted: number): Uint8Array | undefined {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === wanted) return reader.bytes();

    reader.skip(wireType, field);
  }
  return undefined;
}

/**
 * The end of the events from an offset of a request on. Undefined unless they are contiguous, with the past ones first.
 * Any other history is valid too, but says nothing about the bytes of the next one.
 * @throws Error if the bytes are no message
 */
export function findHistoryEnd(request: Uint8Array, historyStart: number): number | undefined {
  const end = runEnd(request, runEnd(request, historyStart, PAST_EVENT), NEW_EVENT);
  const reader = new BinaryReader(request);
  reader.pos = end;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (isHistory(field)) return undefined;

    reader.skip(wireType, field);
  }
  return end;
}

/** A copy of the request without some of its bytes; the request itself if there are none to omit. */
export function withoutBytes(request: Uint8Array, offset: number, length: number): Uint8Array {
  if (length === 0) return request;

  const rest = new Uint8Array(request.length - length);
  rest.set(request.subarray(0, offset));
  rest.set(request.subarray(offset + length), offset);
  return rest;
}

/** pastEvents and newEvents. */
function isHistory(field: number): boolean {
  return field === Request.pastEvents || field === Request.newEvents;
}
