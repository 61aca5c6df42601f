import { ActivityRequestSchema, OrchestratorRequestSchema, WorkItemSchema } from "./durabletask_pb.js";
import { NEW_EVENT, framedBytes, writeFramed } from "./event-frames.js";
import { fieldLength, int32Length, writeInt32 } from "./sized-fields.js";
import { fieldNumbers, lengthTag, varintTag } from "./fields.js";
import { orchestrationInstance } from "./history-event.js";
import type { TaskRequest } from "./history-event.js";
import { WireType, fieldBytes, fieldInt32, fieldString, stringValue, written } from "./wire.js";

const Item = fieldNumbers(WorkItemSchema);
const Request = fieldNumbers(OrchestratorRequestSchema);
const Activity = fieldNumbers(ActivityRequestSchema);

const ORCHESTRATOR_REQUEST = lengthTag(Item.orchestratorRequest);
const ACTIVITY_REQUEST = lengthTag(Item.activityRequest);
const COMPLETION_TOKEN = lengthTag(Item.completionToken);
const TRACE_CONTEXT = lengthTag(Request.orchestrationTraceContext);
/** The field, set. */
const REQUIRES_HISTORY_STREAMING = Uint8Array.of(varintTag(Request.requiresHistoryStreaming), 1);
const KNOWN_HISTORY = written((writer) => writer.tag(Item.knownHistory, WireType.Varint));

/** The fields of an OrchestratorRequest that are the same in every episode of an execution. */
export function episodeHead(instanceId: string, executionId: string): Uint8Array {
  return written((writer) => {
    fieldString(writer, Request.instanceId, instanceId);
    fieldBytes(writer, Request.executionId, stringValue(executionId));
  });
}

/** The field of an ActivityRequest with the id of its instance. */
export function activityParent(instanceId: string, executionId: string): Uint8Array {
  return written((writer) => orchestrationInstance(writer, Activity.orchestrationInstance, instanceId, executionId));
}

export interface EpisodeItem {
  readonly head: Uint8Array;
  /** Framed as past events. Its bytes must not change while the item is on its way. */
  readonly history: Uint8Array;
  readonly newEvents: readonly Uint8Array[];
  readonly token: string;
  /** The size of the known history, which is omitted. */
  readonly knownBytes?: number;
  /** The worker must ask for the history. */
  readonly withoutHistory?: boolean;
  /** OrchestrationTraceContext */
  readonly trace?: Uint8Array | undefined;
}

/** From this size on, a history is a part of its own and is not copied. */
const LARGE_BYTES = 16_384;

/** A WorkItem for one episode, in one part, or in three if its history is large. */
export function episodeWorkItem(episode: EpisodeItem): readonly Uint8Array[] {
  const { head, newEvents, token, trace, withoutHistory = false } = episode;
  const knownBytes = withoutHistory ? 0 : (episode.knownBytes ?? 0);
  const history = withoutHistory ? REQUIRES_HISTORY_STREAMING : episode.history.subarray(knownBytes);
  const isLarge = history.length >= LARGE_BYTES;
  const traceLength = trace === undefined ? 0 : fieldLength(trace.length);
  const length = head.length + history.length + framedBytes(newEvents) + traceLength;
  const leftOut = isLarge ? history.length : 0;
  const { item, offset } = workItem(ORCHESTRATOR_REQUEST, length, token, { knownBytes, leftOut });
  item.set(head, offset);
  const historyStart = offset + head.length;
  if (!isLarge) item.set(history, historyStart);
  let end = historyStart + history.length - leftOut;
  for (const event of newEvents) end = writeFramed(item, end, NEW_EVENT, event);

  if (trace !== undefined) writeFramed(item, end, TRACE_CONTEXT, trace);

  return isLarge ? [item.subarray(0, historyStart), history, item.subarray(historyStart)] : [item];
}

export function activityWorkItem(parent: Uint8Array, taskId: number, task: TaskRequest, token: string): Buffer {
  const body = written((writer) => {
    fieldString(writer, Activity.name, task.name);
    fieldBytes(writer, Activity.version, task.version);
    fieldBytes(writer, Activity.input, task.input);
    writer.raw(parent);
    fieldInt32(writer, Activity.taskId, taskId);
    fieldBytes(writer, Activity.parentTraceContext, task.traceContext);
    for (const tag of task.tags) fieldBytes(writer, Activity.tags, tag);
  });
  const { item, offset } = workItem(ACTIVITY_REQUEST, body.length, token);
  item.set(body, offset);
  return item;
}

/**
 * A WorkItem with room for a request of `length` bytes at `offset`, less those that are left out of it. Everything else
 * is written. Tokens are ASCII.
 */
function workItem(
  tag: number,
  length: number,
  token: string,
  { knownBytes = 0, leftOut = 0 } = {},
): { item: Buffer; offset: number } {
  const offset = 1 + int32Length(length);
  const tail = offset + length - leftOut;
  const tokenEnd = tail + 1 + int32Length(token.length) + token.length;
  const knownLength = knownBytes === 0 ? 0 : KNOWN_HISTORY.length + int32Length(knownBytes);
  const item = Buffer.allocUnsafe(tokenEnd + knownLength);
  item[0] = tag;
  writeInt32(item, 1, length);
  item[tail] = COMPLETION_TOKEN;
  item.write(token, writeInt32(item, tail + 1, token.length), "latin1");
  if (knownBytes > 0) {
    item.set(KNOWN_HISTORY, tokenEnd);
    writeInt32(item, tokenEnd + KNOWN_HISTORY.length, knownBytes);
  }
  return { item, offset };
}
