import { StringValue, Timestamp, pb } from "../protocol/sidecar-stubs.js";
import type { InstanceState, RuntimeStatus } from "./orchestration-client.js";

const Status = pb.OrchestrationStatus;

/** The statuses as numbers of the protocol. */
export const STATUSES = {
  Running: Status.ORCHESTRATION_STATUS_RUNNING,
  Completed: Status.ORCHESTRATION_STATUS_COMPLETED,
  ContinuedAsNew: Status.ORCHESTRATION_STATUS_CONTINUED_AS_NEW,
  Failed: Status.ORCHESTRATION_STATUS_FAILED,
  Canceled: Status.ORCHESTRATION_STATUS_CANCELED,
  Terminated: Status.ORCHESTRATION_STATUS_TERMINATED,
  Pending: Status.ORCHESTRATION_STATUS_PENDING,
  Suspended: Status.ORCHESTRATION_STATUS_SUSPENDED,
} as const satisfies Record<RuntimeStatus, number>;

const STATUS_NAMES = new Map<number, RuntimeStatus>(
  Object.entries(STATUSES).map(([name, number]) => [number, name as RuntimeStatus]),
);

type State = InstanceType<typeof pb.OrchestrationState>;

/** Undefined where the answer is that there is none. */
export function instanceOf(
  response: InstanceType<typeof pb.GetInstanceResponse>,
  payloads: boolean,
): InstanceState | undefined {
  const state = response.getOrchestrationstate();
  return response.getExists() && state !== undefined ? stateOf(state, payloads) : undefined;
}

/** `payloads` is whether they were asked for. */
export function stateOf(state: State, payloads: boolean): InstanceState {
  const failure = state.getFailuredetails();
  return {
    instanceId: state.getInstanceid(),
    name: state.getName(),
    status: STATUS_NAMES.get(state.getOrchestrationstatus()) ?? "Running",
    createdMs: msOf(state.getCreatedtimestamp()) ?? 0,
    lastUpdatedMs: msOf(state.getLastupdatedtimestamp()) ?? 0,
    completedMs: msOf(state.getCompletedtimestamp()),
    input: state.getInput()?.getValue(),
    output: state.getOutput()?.getValue(),
    customStatus: state.getCustomstatus()?.getValue(),
    failure: failure && { type: failure.getErrortype(), message: failure.getErrormessage() },
    ...(!payloads && { withoutPayloads: true }),
  };
}

function msOf(timestamp: InstanceType<typeof Timestamp> | undefined): number | undefined {
  return timestamp && timestamp.getSeconds() * 1000 + timestamp.getNanos() / 1e6;
}

export function stringValue(text: string): InstanceType<typeof StringValue> {
  const value = new StringValue();
  value.setValue(text);
  return value;
}

export function timestampOf(ms: number | undefined): InstanceType<typeof Timestamp> | undefined {
  if (ms === undefined) return undefined;
  const timestamp = new Timestamp();
  timestamp.setSeconds(Math.floor(ms / 1000));
  timestamp.setNanos(Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000) * 1000);
  return timestamp;
}
