import { FAN_OUT_FAN_IN_ORCHESTRATION, type FanOutFanInRequest } from "../orchestrations/fan-out-fan-in-contract.js";
import { activitiesOf } from "../result/run-size.js";
import type { LoadPlan } from "./plan.js";

/** What a run starts, many times. */
export interface StartedOrchestration {
  readonly name: string;
  readonly input: unknown;
  /** How many activities its output has to account for; undefined where that is not known. */
  readonly activities: number | undefined;
}

export function orchestrationOf(plan: LoadPlan): StartedOrchestration {
  const { orchestrator, iterations, parallelActivities, activity, continueAsNewEvery } = plan;
  if (orchestrator) return { name: orchestrator.name, input: orchestrator.input, activities: undefined };
  const input: FanOutFanInRequest = {
    iterations,
    parallelActivities,
    includeResults: false,
    ...(activity && { activity }),
    ...(continueAsNewEvery !== undefined && { continueAsNewEvery }),
  };
  return { name: FAN_OUT_FAN_IN_ORCHESTRATION, input, activities: activitiesOf(plan) };
}
