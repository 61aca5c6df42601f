import type { InstanceState } from "../backend/orchestration-client.js";
import { FAN_OUT_FAN_IN_ORCHESTRATION, FAN_OUT_PART_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { isGeneratedRunId, runIdOf } from "../plan/run-id.js";

/**
 * Whether an instance certainly belongs to a load test: it runs the fan-out/fan-in workload, or its run id was
 * generated. An instance of somebody's own orchestration under a chosen run id looks like their other work, and is
 * treated as such.
 */
export function isOfLoadTest({ instanceId, name }: Pick<InstanceState, "instanceId" | "name">): boolean {
  if (name === FAN_OUT_FAN_IN_ORCHESTRATION || name === FAN_OUT_PART_ORCHESTRATION) return true;
  return isGeneratedRunId(runIdOf(instanceId) ?? "");
}
