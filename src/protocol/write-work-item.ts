import { NEW_EVENT, framedBytes, writeFramed } from "./event-frames.js";
import { fieldLength, int32Length, writeInt32 } from "./sized-fields.js";
import { orchestrationInstance } from "./history-event.js";
import type { TaskRequest } from "./history-event.js";
import { BinaryWriter, fieldBytes, fieldInt32, fieldString } from "./wire.js";

/** Tags of `WorkItem`: its two kinds of request, and the completion token. */
const ORCHESTRATOR_REQUEST = 0x0a;
const ACTIVITY_REQUEST = 0x12;
const COMPLETION_TOKEN = 0x52;
/** Of OrchestratorRequest: the tag of `orchestrationTraceContext`, and `requiresHistoryStreaming`, set. */
const TRACE_CONTEXT = 0x42;
const REQUIRES_HISTORY_STREAMING = Uint8Array.of(0x30, 1);
/**
 * Field 1000, a varint, which the protocol does not have: bytes of the history that were left out in front of the past
 * events, because the worker is known to have them. Sent over the link alone.
 */
const KNOWN_HISTORY = [0xc0, 0x3e] as const;

/** The fields of an OrchestratorRequest that are the same in every episode of an execution. */
export function episodeHead(instanceId: string, executionId: string): Uint8Array {
  const writer = fieldString(new BinaryWriter(), 1, instanceId);
  return fieldBytes(writer, 2, fieldString(new BinaryWriter(), 1, executionId).finish()).finish();
}

/** The field of an ActivityRequest that names its instance. */
export function activityParent(instanceId: string, executionId: string): Uint8Array {
  return orchestrationInstance(new BinaryWriter(), 4, instanceId, executionId).finish();
}

export interface EpisodeItem {
  readonly head: Uint8Array;
  /** Framed as past events. It goes in by one copy. */
  readonly history: Uint8Array;
  readonly newEvents: readonly Uint8Array[];
  readonly token: string;
  /** Bytes of the history that the worker has, and that are left out. */
  readonly knownBytes?: number;
  /** The worker has to ask for the history. */
  readonly withoutHistory?: boolean;
  /** OrchestrationTraceContext */
  readonly trace?: Uint8Array | undefined;
}

/** A WorkItem for one episode. */
export function episodeWorkItem(episode: EpisodeItem): Buffer {
  const { head, newEvents, token, trace, withoutHistory = false } = episode;
  const knownBytes = withoutHistory ? 0 : (episode.knownBytes ?? 0);
  const history = withoutHistory ? REQUIRES_HISTORY_STREAMING : episode.history.subarray(knownBytes);
  const traceLength = trace === undefined ? 0 : fieldLength(trace.length);
  const length = head.length + history.length + framedBytes(newEvents) + traceLength;
  const { item, offset } = workItem(ORCHESTRATOR_REQUEST, length, token, knownBytes);
  item.set(head, offset);
  item.set(history, offset + head.length);
  let end = offset + head.length + history.length;
  for (const event of newEvents) end = writeFramed(item, end, NEW_EVENT, event);

  if (trace !== undefined) writeFramed(item, end, TRACE_CONTEXT, trace);

  return item;
}

export function activityWorkItem(parent: Uint8Array, taskId: number, task: TaskRequest, token: string): Buffer {
  const writer = new BinaryWriter();
  for (const field of task.head) writer.raw(field);

  writer.raw(parent);
  fieldInt32(writer, 5, taskId);
  fieldBytes(writer, 6, task.traceContext);
  for (const tag of task.tags) fieldBytes(writer, 7, tag);

  const body = writer.finish();
  const { item, offset } = workItem(ACTIVITY_REQUEST, body.length, token);
  item.set(body, offset);
  return item;
}

/** A WorkItem with room for a request of that many bytes at `offset`; everything else is written. Tokens are ASCII. */
function workItem(tag: number, length: number, token: string, knownBytes = 0): { item: Buffer; offset: number } {
  const offset = 1 + int32Length(length);
  const tail = offset + length;
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
