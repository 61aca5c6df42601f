import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { complete } from "./raw-connection.js";

type Action = InstanceType<typeof pb.OrchestratorAction>;

/** Starts a sub-orchestration; without an id the backend is to choose one. */
export function createChild(id: number, instanceId = "", name = "Child"): Action {
  const child = new pb.CreateSubOrchestrationAction();
  child.setInstanceid(instanceId);
  child.setName(name);
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setCreatesuborchestration(child);
  return action;
}

/** Ends an orchestration as one that was terminated. */
export function terminated(id: number): Action {
  return endedAs(id, pb.OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED);
}

/** Ends an orchestration as one that has failed, with these details. */
export function failed(id: number, details: InstanceType<typeof pb.TaskFailureDetails>): Action {
  const action = endedAs(id, pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED);
  action.getCompleteorchestration()!.setResult();
  action.getCompleteorchestration()!.setFailuredetails(details);
  return action;
}

function endedAs(id: number, status: (typeof pb.OrchestrationStatus)[keyof typeof pb.OrchestrationStatus]): Action {
  const action = complete(id, "end");
  action.getCompleteorchestration()!.setOrchestrationstatus(status);
  return action;
}

/** What a worker answers a rewind with: the history to go on from, which ends with the event that told of the rewind. */
export function rewind(history: readonly InstanceType<typeof pb.HistoryEvent>[]): Action {
  const rewound = new pb.RewindOrchestrationAction();
  rewound.setNewhistoryList([...history]);
  const action = new pb.OrchestratorAction();
  action.setId(-1);
  action.setRewindorchestration(rewound);
  return action;
}

export function historyEvent(
  set: (event: InstanceType<typeof pb.HistoryEvent>) => void,
  eventId = -1,
): InstanceType<typeof pb.HistoryEvent> {
  const event = new pb.HistoryEvent();
  event.setEventid(eventId);
  set(event);
  return event;
}
