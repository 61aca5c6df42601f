import { drawDurationMs } from "../../../dist/orchestrations/activity-duration.js";
import { checkFanIn, isFaultless } from "../../../dist/orchestrations/fan-in.js";
import type { FanInTally } from "#peer-protocol";
import { SEED, type Workload } from "#workloads";

/** What an orchestration of a peer is told. */
export interface OrchestrationInput {
  readonly instanceId: string;
  readonly iterations: number;
  readonly activities: number;
  readonly meanSleepMs?: number;
  readonly outputBytes?: number;
}

export interface ActivityInput {
  readonly iterationNumber: number;
  readonly activityNumber: number;
  readonly sleepMs?: number;
  readonly outputBytes?: number;
}

export interface ActivityResult {
  readonly iterationNumber: number;
  readonly activityNumber: number;
  readonly processingTimeMs: number;
  readonly output: string;
  readonly padding?: string;
}

export function orchestrationInput(instanceId: string, workload: Workload): OrchestrationInput {
  const { iterations, activities, meanSleepMs, outputBytes } = workload;
  return {
    instanceId,
    iterations,
    activities,
    ...(meanSleepMs !== undefined && { meanSleepMs }),
    ...(outputBytes !== undefined && { outputBytes }),
  };
}

/** The inputs of one fan-out. A replay makes the same. */
export function fanOut(input: OrchestrationInput, iterationNumber: number): readonly ActivityInput[] {
  const { instanceId, activities, meanSleepMs, outputBytes } = input;
  return Array.from({ length: activities }, (_, activityNumber) => {
    const place = { iterationNumber, activityNumber };
    if (meanSleepMs === undefined && outputBytes === undefined) return place;
    const sleepMs =
      meanSleepMs && drawDurationMs({ kind: "exponential", meanMs: meanSleepMs }, { seed: SEED, instanceId, ...place });
    return { ...place, ...(sleepMs !== undefined && { sleepMs }), ...(outputBytes !== undefined && { outputBytes }) };
  });
}

export const NOTHING_SEEN: FanInTally = { results: 0, faulty: 0 };

/** Checks the results of one fan-out as fanout's own orchestrator does, and their payload. */
export function fanIn(
  tally: FanInTally,
  { activities, outputBytes }: OrchestrationInput,
  iterationNumber: number,
  results: readonly (ActivityResult | undefined)[],
): FanInTally {
  const whole =
    isFaultless(checkFanIn(iterationNumber, activities, results)) &&
    results.every((result) => result?.padding?.length === outputBytes);
  return whole ? { ...tally, results: tally.results + results.length } : { ...tally, faulty: tally.faulty + 1 };
}
