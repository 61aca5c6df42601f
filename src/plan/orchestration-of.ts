import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { activitiesOf } from "../result/run-size.js";
import type { LoadPlan } from "./plan.js";
import { inputOf } from "./workload-flags.js";

/** The orchestration that a run starts many times. */
export interface StartedOrchestration {
  readonly name: string;
  readonly input: unknown;
  /** The input of a traced instance. */
  readonly tracedInput: unknown;
  /** The number of activities that its output must account for; undefined if unknown. */
  readonly activities: number | undefined;
}

export function orchestrationOf(plan: LoadPlan): StartedOrchestration {
  const { orchestrator, orchestratorInput: foreign } = plan;
  if (orchestrator !== undefined)
    return { name: orchestrator, input: foreign, tracedInput: foreign, activities: undefined };

  const input = inputOf(plan);
  const tracedInput = { ...input, trace: true };
  return { name: FAN_OUT_FAN_IN_ORCHESTRATION, input, tracedInput, activities: activitiesOf(plan) };
}
