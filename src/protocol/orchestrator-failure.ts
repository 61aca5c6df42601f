import { pb } from "./sidecar-stubs.js";

/** An OrchestratorResponse by which the orchestration fails. */
export function writeOrchestratorFailure(instanceId: string, completionToken: string, error: Error): Buffer {
  const details = new pb.TaskFailureDetails();
  details.setErrortype(error.name);
  details.setErrormessage(error.message);
  details.setIsnonretriable(true);
  const end = new pb.CompleteOrchestrationAction();
  end.setOrchestrationstatus(pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED);
  end.setFailuredetails(details);
  const action = new pb.OrchestratorAction();
  // An end is not counted among what an orchestrator asks for.
  action.setId(-1);
  action.setCompleteorchestration(end);
  const response = new pb.OrchestratorResponse();
  response.setInstanceid(instanceId);
  response.setActionsList([action]);
  response.setCompletiontoken(completionToken);
  return Buffer.from(response.serializeBinary());
}
