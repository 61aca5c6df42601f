import { whenAll, type ActivityContext, type OrchestrationContext, type Task } from "@microsoft/durabletask-js";
import { FanInError, checkFanIn, isFaultless } from "./fan-in.js";
import {
  ACTIVITY_OUTPUT,
  FAN_OUT_FAN_IN_ACTIVITY,
  parseFanOutFanInActivityInput,
  parseFanOutFanInInput,
  type FanOutFanInActivityInput,
  type FanOutFanInActivityOutput,
  type FanOutFanInOutput,
  type FanOutFanInProgress,
} from "./fan-out-fan-in-contract.js";

/**
 * Fans out `parallelActivities` activities and waits for all of them, `iterations` times over. It fails with
 * `FanInError` unless every (iteration, activity) came back exactly once.
 *
 * Deterministic: a replay sees the clock and the results of its history, and nothing else.
 */
export async function* FanOutFanInOrchestration(
  context: OrchestrationContext,
  rawInput: unknown,
): AsyncGenerator<Task<unknown>, FanOutFanInOutput, FanOutFanInActivityOutput[]> {
  const { iterations, parallelActivities, includeResults } = parseFanOutFanInInput(rawInput);
  const startedMs = context.currentUtcDateTime.getTime();
  const results: FanOutFanInActivityOutput[] = [];
  let processingTimeMs = 0;
  for (let iterationNumber = 0; iterationNumber < iterations; iterationNumber++) {
    const iteration = yield whenAll(fanOut(context, iterationNumber, parallelActivities));
    const faults = checkFanIn(iterationNumber, parallelActivities, iteration);
    if (!isFaultless(faults)) {
      throw new FanInError(iterationNumber, parallelActivities, faults);
    }
    for (const result of iteration) {
      processingTimeMs += result.processingTimeMs;
      if (includeResults) {
        results.push(result);
      }
    }
    const iterationsCompleted = iterationNumber + 1;
    context.setCustomStatus({
      iterationsCompleted,
      iterations,
      activitiesCompleted: iterationsCompleted * parallelActivities,
    } satisfies FanOutFanInProgress);
  }
  const totalActivities = iterations * parallelActivities;
  return {
    totalActivities,
    elapsedTimeMs: context.currentUtcDateTime.getTime() - startedMs,
    averageActivityTimeMs: Math.round(processingTimeMs / totalActivities),
    ...(includeResults && { results }),
  };
}

function fanOut(context: OrchestrationContext, iterationNumber: number, parallelActivities: number): Task<unknown>[] {
  return Array.from({ length: parallelActivities }, (_, activityNumber) =>
    context.callActivity(FAN_OUT_FAN_IN_ACTIVITY, {
      iterationNumber,
      activityNumber,
    } satisfies FanOutFanInActivityInput),
  );
}

/** Does as little as an activity can: what a run measures is the backend. */
export function FanOutFanInActivity(_context: ActivityContext, rawInput: unknown): FanOutFanInActivityOutput {
  const startedMs = performance.now();
  const { iterationNumber, activityNumber } = parseFanOutFanInActivityInput(rawInput);
  return {
    iterationNumber,
    activityNumber,
    processingTimeMs: Math.round(performance.now() - startedMs),
    output: ACTIVITY_OUTPUT,
  };
}
