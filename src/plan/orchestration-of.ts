import { FAN_OUT_FAN_IN_ORCHESTRATION } from "../orchestrations/fan-out-fan-in-contract.js";
import { activitiesOf } from "../result/run-size.js";
import { placeInMix } from "../result/mix.js";
import type { ForeignPlan } from "./foreign-orchestration.js";
import { inputPlace } from "./input-lines.js";
import type { LoadPlan } from "./plan.js";
import { inputOf } from "./workload-flags.js";

/** What a run starts many times: one orchestration, or a mix of several. */
export interface StartedOrchestration {
  /** Of the start with this number in the whole run. A traced instance may have another input. */
  readonly startOf: (sequence: number, isTraced: boolean) => OrchestrationStart;
  /** The number of activities that its output must account for; undefined if unknown. */
  readonly activities: number | undefined;
}

interface OrchestrationStart {
  readonly name: string;
  readonly version: string | undefined;
  readonly tags: Readonly<Record<string, string>> | undefined;
  readonly input: unknown;
}

export function orchestrationOf(plan: LoadPlan): StartedOrchestration {
  const { orchestrator, orchestrations, instanceVersion: version, tags, seed } = plan;
  if (orchestrations !== undefined) {
    const startOf = (sequence: number): OrchestrationStart => {
      const entry = orchestrations[placeInMix(orchestrations, sequence, seed)]!;
      const { orchestrator: name, instanceVersion = version } = entry;
      return { name, version: instanceVersion, tags, input: foreignInputOf(entry, sequence, seed) };
    };
    return { startOf, activities: undefined };
  }
  if (orchestrator !== undefined) {
    const startOf = (sequence: number) => {
      return { name: orchestrator, version, tags, input: foreignInputOf(plan, sequence, seed) };
    };
    return { startOf, activities: undefined };
  }
  const start = { name: FAN_OUT_FAN_IN_ORCHESTRATION, version, tags, input: inputOf(plan) };
  const traced = { ...start, input: { ...start.input, trace: true } };
  return { startOf: (_sequence, isTraced) => (isTraced ? traced : start), activities: activitiesOf(plan) };
}

function foreignInputOf(
  { orchestratorInput, inputs, inputValues }: Partial<ForeignPlan>,
  sequence: number,
  seed: number,
): unknown {
  return inputs && inputValues ? inputValues[inputPlace(inputs, sequence, seed)] : orchestratorInput;
}
