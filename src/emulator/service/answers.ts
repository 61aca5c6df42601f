import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  CreateInstanceResponseSchema,
  GetInstanceResponseSchema,
  ListInstanceIdsResponseSchema,
  PurgeInstancesResponseSchema,
  QueryInstancesResponseSchema,
  SkipGracefulOrchestrationTerminationsResponseSchema,
  type OrchestrationStateSchema,
} from "../../protocol/durabletask_pb.js";
import { CHUNK_EVENT, frame } from "../../protocol/event-frames.js";
import { timestampOf, writeMessage } from "../../protocol/messages.js";
import type { InstanceRow } from "../store/store.js";

/** Answers of TaskHubSidecarService that tell of instances. */

/** `GetInstanceResponse`; of an instance that does not exist, it says so. */
export function getInstanceResponse(row: InstanceRow | undefined): Uint8Array {
  if (row === undefined) return writeMessage(GetInstanceResponseSchema, {});

  return writeMessage(GetInstanceResponseSchema, { exists: true, orchestrationState: stateOf(row) });
}

/** `QueryInstancesResponse` */
export function queryInstancesResponse(
  rows: readonly InstanceRow[],
  continuationToken: string | undefined,
): Uint8Array {
  return writeMessage(QueryInstancesResponseSchema, { orchestrationState: rows.map(stateOf), continuationToken });
}

/** `ListInstanceIdsResponse` */
export function listInstanceIdsResponse(ids: readonly string[], lastInstanceKey: string | undefined): Uint8Array {
  return writeMessage(ListInstanceIdsResponseSchema, { instanceIds: [...ids], lastInstanceKey });
}

/** `HistoryChunk` */
export function historyChunk(events: readonly Uint8Array[]): Uint8Array {
  return frame(CHUNK_EVENT, events);
}

/** `CreateInstanceResponse` and `RestartInstanceResponse` */
export function createInstanceResponse(instanceId: string): Uint8Array {
  return writeMessage(CreateInstanceResponseSchema, { instanceId });
}

/** `SkipGracefulOrchestrationTerminationsResponse` */
export function skipTerminationsResponse(ids: readonly string[]): Uint8Array {
  return writeMessage(SkipGracefulOrchestrationTerminationsResponseSchema, {
    unterminatedInstanceIds: [...ids],
  });
}

/** `PurgeInstancesResponse`, of a purge that is complete. */
export function purgeInstancesResponse(deletedInstanceCount: number): Uint8Array {
  return writeMessage(PurgeInstancesResponseSchema, { deletedInstanceCount, isComplete: true });
}

function stateOf(row: InstanceRow): MessageInitShape<typeof OrchestrationStateSchema> {
  return {
    instanceId: row.instanceId,
    name: row.name,
    version: row.version,
    orchestrationStatus: row.status,
    scheduledStartTimestamp: timestampOf(row.scheduledStartUs),
    createdTimestamp: timestampOf(row.createdUs),
    lastUpdatedTimestamp: timestampOf(row.updatedUs),
    input: row.input,
    output: row.output,
    customStatus: row.customStatus,
    failureDetails: row.failure,
    executionId: row.executionId,
    completedTimestamp: timestampOf(row.completedUs),
    parentInstanceId: row.parentId,
    tags: [...row.tags],
  };
}
