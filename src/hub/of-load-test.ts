import type { InstanceState } from "../backend/orchestration-client.js";
import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { isGeneratedRunId, runIdOf } from "../plan/run-id.js";

/**
 * Whether an instance is known to be of a load test: it runs the fan-out/fan-in workload, or its id is of a run whose id
 * fanout has made up. An instance of somebody's own orchestration under a run id of their own looks no different from
 * their other work, so it is taken for that.
 */
export function isOfLoadTest({ instanceId, name }: Pick<InstanceState, "instanceId" | "name">): boolean {
  return name === FAN_OUT_FAN_IN_ORCHESTRATION || isGeneratedRunId(runIdOf(instanceId) ?? "");
}
