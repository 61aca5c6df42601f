import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { stringValue, type RawConnection } from "./raw-connection.js";

/** Calls SkipGracefulOrchestrationTerminations; returns the ids of those that it did not find running. */
export async function endAtOnce(hub: RawConnection, ids: readonly string[], reason?: string): Promise<string[]> {
  const batch = new pb.InstanceBatch();
  batch.setInstanceidsList([...ids]);
  const request = new pb.SkipGracefulOrchestrationTerminationsRequest();
  request.setInstancebatch(batch);
  if (reason !== undefined) request.setReason(stringValue(JSON.stringify(reason)));
  const response = pb.SkipGracefulOrchestrationTerminationsResponse;
  return (await hub.call("SkipGracefulOrchestrationTerminations", request, response)).getUnterminatedinstanceidsList();
}
