import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { activitiesOf } from "../result/run-size.js";
import { inputPlace } from "./input-lines.js";
import type { LoadPlan } from "./plan.js";
import { inputOf } from "./workload-flags.js";

/** The orchestration that a run starts many times. */
export interface StartedOrchestration {
  readonly name: string;
  readonly version: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  /** The input of the start with this number in the whole run. A traced instance may have another one. */
  readonly inputOf: (sequence: number, isTraced: boolean) => unknown;
  /** The number of activities that its output must account for; undefined if unknown. */
  readonly activities: number | undefined;
}

export function orchestrationOf(plan: LoadPlan): StartedOrchestration {
  const { orchestrator, instanceVersion: version, tags } = plan;
  if (orchestrator !== undefined)
    return { name: orchestrator, version, tags, inputOf: foreignInputOf(plan), activities: undefined };

  const input = inputOf(plan);
  const tracedInput = { ...input, trace: true };
  return {
    name: FAN_OUT_FAN_IN_ORCHESTRATION,
    version,
    tags,
    inputOf: (_sequence, isTraced) => (isTraced ? tracedInput : input),
    activities: activitiesOf(plan),
  };
}

function foreignInputOf({ orchestratorInput, inputs, inputValues, seed }: LoadPlan): (sequence: number) => unknown {
  if (inputs === undefined || inputValues === undefined) return () => orchestratorInput;
  return (sequence) => inputValues[inputPlace(inputs, sequence, seed)];
}
