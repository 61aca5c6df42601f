import type { MessageShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  TaskFailureDetailsSchema,
  type GetInstanceResponse,
  type OrchestrationStateSchema,
} from "../protocol/durabletask_pb.js";
import { readMessage } from "../protocol/messages.js";
import { statusName } from "../protocol/orchestration-status.js";
import { textOf } from "../protocol/wire.js";
import type { InstanceState } from "./orchestration-client.js";

/** Undefined if there is no such instance. `payloads` says whether payloads were requested. */
export function instanceOf(response: GetInstanceResponse, payloads: boolean): InstanceState | undefined {
  const { exists, orchestrationState: state } = response;
  return exists && state !== undefined ? stateOf(state, payloads) : undefined;
}

/** @throws Error if a payload or the failure cannot be read */
export function stateOf(state: MessageShape<typeof OrchestrationStateSchema>, payloads: boolean): InstanceState {
  const status = statusName(state.orchestrationStatus);
  return {
    instanceId: state.instanceId,
    name: state.name,
    status: status === "Unknown" ? "Running" : status,
    createdMs: msOf(state.createdTimestamp),
    lastUpdatedMs: msOf(state.lastUpdatedTimestamp),
    completedMs: msOf(state.completedTimestamp),
    input: state.input && textOf(state.input),
    output: state.output && textOf(state.output),
    customStatus: state.customStatus && textOf(state.customStatus),
    failure: state.failureDetails && failureOf(state.failureDetails),
    ...(!payloads && { withoutPayloads: true }),
  };
}

function failureOf(details: Uint8Array): { readonly type: string; readonly message: string } {
  const { errorType: type, errorMessage: message } = readMessage(TaskFailureDetailsSchema, details);
  return { type, message };
}

function msOf(timestamp: Timestamp | undefined): number | undefined {
  return timestamp && Number(timestamp.seconds) * 1000 + timestamp.nanos / 1e6;
}
