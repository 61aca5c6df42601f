import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { activitiesOf } from "../result/run-size.js";
import type { LoadPlan } from "./plan.js";
import { inputOf } from "./workload-flags.js";

/** What a run starts, many times. */
export interface StartedOrchestration {
  readonly name: string;
  readonly input: unknown;
  /** How many activities its output has to account for; undefined where that is not known. */
  readonly activities: number | undefined;
}

export function orchestrationOf(plan: LoadPlan): StartedOrchestration {
  const { orchestrator, orchestratorInput } = plan;
  return orchestrator === undefined
    ? { name: FAN_OUT_FAN_IN_ORCHESTRATION, input: inputOf(plan), activities: activitiesOf(plan) }
    : { name: orchestrator, input: orchestratorInput, activities: undefined };
}
