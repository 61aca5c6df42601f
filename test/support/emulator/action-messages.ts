import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";

/** Actions of orchestrators as the SDK's messages have them, with all that may be asked for. */

export const NOW_US = 1_764_000_000_123_456;
export const Ending = pb.OrchestrationStatus;
/** What tasks and sub-orchestrations are asked for with. */
export const TRACE = { traceparent: "00-trace", spanid: "span" };
export const TAGS = [["colour", "green"]];

export function scheduleTask(id: number, input = "null"): Uint8Array {
  const task = new pb.ScheduleTaskAction();
  task.setName("Activity");
  task.setVersion(text("2"));
  task.setInput(text(input));
  task.getTagsMap().set("colour", "green");
  task.setParenttracecontext(traceContext());
  return actionOf(id, (action) => action.setScheduletask(task));
}

/** Its orchestrator has not chosen an instance id where there is none. */
export function createChild(id: number, instanceId = "", input = "null"): Uint8Array {
  const child = new pb.CreateSubOrchestrationAction();
  child.setInstanceid(instanceId);
  child.setName("Child");
  child.setVersion(text("2"));
  child.setInput(text(input));
  child.getTagsMap().set("colour", "green");
  child.setParenttracecontext(traceContext());
  return actionOf(id, (action) => action.setCreatesuborchestration(child));
}

export function sendEvent(id: number, instanceId: string, name: string, data: string): Uint8Array {
  const instance = new pb.OrchestrationInstance();
  instance.setInstanceid(instanceId);
  const event = new pb.SendEventAction();
  event.setInstance(instance);
  event.setName(name);
  event.setData(text(data));
  return actionOf(id, (action) => action.setSendevent(event));
}

export function terminate(id: number, instanceId: string, reason: string, recurse: boolean): Uint8Array {
  const termination = new pb.TerminateOrchestrationAction();
  termination.setInstanceid(instanceId);
  termination.setReason(text(reason));
  termination.setRecurse(recurse);
  return actionOf(id, (action) => action.setTerminateorchestration(termination));
}

/** What this emulator does not carry out. */
export function sendEntityMessage(id: number): Uint8Array {
  return actionOf(id, (action) => action.setSendentitymessage(new pb.SendEntityMessageAction()));
}

export function actionOf(id: number, set: (action: InstanceType<typeof pb.OrchestratorAction>) => void): Uint8Array {
  const action = new pb.OrchestratorAction();
  action.setId(id);
  set(action);
  return action.serializeBinary();
}

function traceContext(): InstanceType<typeof pb.TraceContext> {
  const trace = new pb.TraceContext();
  trace.setTraceparent(TRACE.traceparent);
  trace.setSpanid(TRACE.spanid);
  return trace;
}

export function createTimer(id: number, fireAtUs = NOW_US): Uint8Array {
  const fireAt = new timestamps.Timestamp();
  fireAt.setSeconds(Math.floor(fireAtUs / 1e6));
  fireAt.setNanos((fireAtUs % 1e6) * 1000);
  const timer = new pb.CreateTimerAction();
  timer.setFireat(fireAt);
  return actionOf(id, (action) => action.setCreatetimer(timer));
}

export function complete(
  status: (typeof Ending)[keyof typeof Ending],
  result: string | undefined,
  failure?: string,
): Uint8Array {
  const end = new pb.CompleteOrchestrationAction();
  end.setOrchestrationstatus(status);
  if (result !== undefined) end.setResult(text(result));

  if (failure !== undefined) {
    const details = new pb.TaskFailureDetails();
    details.setErrormessage(failure);
    end.setFailuredetails(details);
  }
  return actionOf(99, (action) => action.setCompleteorchestration(end));
}

export function text(value: string): InstanceType<typeof StringValue> {
  const message = new StringValue();
  message.setValue(value);
  return message;
}
