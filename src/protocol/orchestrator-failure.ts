import { OrchestratorActionSchema, OrchestratorResponseSchema } from "./durabletask_pb.js";
import { failureDetails, writeMessage } from "./messages.js";
import { Status } from "./orchestration-status.js";

/** The id of an action that ends the orchestration. It is not among the numbered actions. */
const NOT_COUNTED = -1;

/** An OrchestratorResponse that fails the orchestration. */
export function writeOrchestratorFailure(instanceId: string, completionToken: string, error: Error): Buffer {
  const value = {
    orchestrationStatus: Status.Failed,
    failureDetails: failureDetails(error.name, error.message, true),
  };
  const action = { id: NOT_COUNTED, action: { case: "completeOrchestration", value } } as const;
  return writeMessage(OrchestratorResponseSchema, {
    instanceId,
    actions: [writeMessage(OrchestratorActionSchema, action)],
    completionToken,
  });
}
