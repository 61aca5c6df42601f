import { CHUNK_EVENT, frame } from "../../protocol/event-frames.js";
import type { InstanceRow } from "../store/store.js";
import {
  BinaryWriter,
  WireType,
  fieldBytes,
  fieldInt32,
  fieldString,
  fieldTimestamp,
  stringValue,
} from "../../protocol/wire.js";

/** Answers of TaskHubSidecarService that tell of instances: field numbers of orchestrator_service.proto. */

/** `GetInstanceResponse`; of an instance that does not exist, it says so. */
export function getInstanceResponse(row: InstanceRow | undefined): Uint8Array {
  const writer = new BinaryWriter();
  if (row !== undefined) {
    writer.tag(1, WireType.Varint).bool(true);
    fieldBytes(writer, 2, orchestrationState(row));
  }
  return writer.finish();
}

/** `QueryInstancesResponse` */
export function queryInstancesResponse(
  rows: readonly InstanceRow[],
  continuationToken: string | undefined,
): Uint8Array {
  const writer = new BinaryWriter();
  for (const row of rows) fieldBytes(writer, 1, orchestrationState(row));

  return fieldBytes(writer, 2, continuationToken === undefined ? undefined : stringValue(continuationToken)).finish();
}

/** `ListInstanceIdsResponse` */
export function listInstanceIdsResponse(ids: readonly string[], lastInstanceKey: string | undefined): Uint8Array {
  const writer = new BinaryWriter();
  for (const id of ids) fieldString(writer, 1, id);

  return fieldBytes(writer, 2, lastInstanceKey === undefined ? undefined : stringValue(lastInstanceKey)).finish();
}

/** `HistoryChunk` */
export function historyChunk(events: readonly Uint8Array[]): Uint8Array {
  return frame(CHUNK_EVENT, events);
}

/** `CreateInstanceResponse` and `RestartInstanceResponse` */
export function createInstanceResponse(instanceId: string): Uint8Array {
  return fieldString(new BinaryWriter(), 1, instanceId).finish();
}

/** `SkipGracefulOrchestrationTerminationsResponse` */
export function skipTerminationsResponse(unterminatedIds: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const id of unterminatedIds) fieldString(writer, 1, id);

  return writer.finish();
}

/** `PurgeInstancesResponse`, of a purge that is complete. */
export function purgeInstancesResponse(deleted: number): Uint8Array {
  const writer = fieldInt32(new BinaryWriter(), 1, deleted);
  return writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).bool(true).join().finish();
}

function orchestrationState(row: InstanceRow): Uint8Array {
  const writer = new BinaryWriter();
  fieldString(writer, 1, row.instanceId);
  fieldString(writer, 2, row.name);
  fieldBytes(writer, 3, row.version);
  fieldInt32(writer, 4, row.status);
  fieldTimestamp(writer, 5, row.scheduledStartUs);
  fieldTimestamp(writer, 6, row.createdUs);
  fieldTimestamp(writer, 7, row.updatedUs);
  fieldBytes(writer, 8, row.input);
  fieldBytes(writer, 9, row.output);
  fieldBytes(writer, 10, row.customStatus);
  fieldBytes(writer, 11, row.failure);
  fieldBytes(writer, 12, stringValue(row.executionId));
  fieldTimestamp(writer, 13, row.completedUs);
  fieldBytes(writer, 14, row.parentId === undefined ? undefined : stringValue(row.parentId));
  for (const tag of row.tags) fieldBytes(writer, 15, tag);

  return writer.finish();
}
