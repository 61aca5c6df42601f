import type { InstanceState } from "../../../src/backend/orchestration-client.js";
import { instanceIdOf } from "../../../src/plan/run-id.js";

export const RUN = "r0123456789ab";

/** An instance of the run, created 1 s and updated 2 s after the epoch unless said otherwise. */
export function stateOf(sequence: number, over: Partial<InstanceState> = {}): InstanceState {
  return {
    instanceId: instanceIdOf(RUN, sequence),
    name: "FanOutFanInOrchestration",
    status: "Running",
    createdMs: 1_000,
    lastUpdatedMs: 2_000,
    completedMs: undefined,
    input: undefined,
    output: undefined,
    customStatus: undefined,
    failure: undefined,
    ...over,
  };
}
