import { setTimeout } from "node:timers/promises";
import {
  RetryPolicy,
  whenAll,
  type ActivityContext,
  type OrchestrationContext,
  type Task,
} from "@microsoft/durabletask-js";
import { WORKER_PROCESS } from "./worker-process.js";
import { drawDurationMs } from "./activity-duration.js";
import { FanInError, checkFanIn, isFaultless } from "./fan-in.js";
import {
  ACTIVITY_OUTPUT,
  FAN_OUT_FAN_IN_ACTIVITY,
  parseFanOutFanInActivityInput,
  parseFanOutFanInInput,
  type ActivityCost,
  type FanOutFanInActivityInput,
  type FanOutFanInActivityOutput,
  type FanOutFanInInput,
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
): AsyncGenerator<Task<unknown>, FanOutFanInOutput | undefined, FanOutFanInActivityOutput[]> {
  const input = parseFanOutFanInInput(rawInput);
  const { iterations, parallelActivities, includeResults, continueAsNewEvery = iterations, carried } = input;
  const startedMs = carried?.startedMs ?? context.currentUtcDateTime.getTime();
  const results: FanOutFanInActivityOutput[] = carried?.results ?? [];
  let processingTimeMs = carried?.processingTimeMs ?? 0;
  let retries = carried?.retries ?? 0;
  const onRetry = (): void => {
    retries += 1;
  };
  const first = carried?.iterationsCompleted ?? 0;
  const end = Math.min(iterations, first + continueAsNewEvery);
  for (let iterationNumber = first; iterationNumber < end; iterationNumber++) {
    let iteration: FanOutFanInActivityOutput[];
    try {
      iteration = yield whenAll(fanOut(context, iterationNumber, input, onRetry));
    } catch (error) {
      throw failureOf(error, iterationNumber, parallelActivities);
    }
    const faults = checkFanIn(iterationNumber, parallelActivities, iteration);
    if (!isFaultless(faults)) throw new FanInError(iterationNumber, parallelActivities, faults);

    for (const result of iteration) {
      processingTimeMs += result.processingTimeMs;
      if (includeResults) results.push(result);
    }
    const iterationsCompleted = iterationNumber + 1;
    context.setCustomStatus({
      iterationsCompleted,
      iterations,
      activitiesCompleted: iterationsCompleted * parallelActivities,
    } satisfies FanOutFanInProgress);
  }
  if (end < iterations) {
    const mayRetry = (input.activity?.retries ?? 0) > 0;
    const done = { iterationsCompleted: end, processingTimeMs, startedMs, results, ...(mayRetry && { retries }) };
    context.continueAsNew({ ...input, carried: done } satisfies FanOutFanInInput, false);
    return undefined;
  }
  const totalActivities = iterations * parallelActivities;
  return {
    totalActivities,
    elapsedTimeMs: context.currentUtcDateTime.getTime() - startedMs,
    averageActivityTimeMs: Math.round(processingTimeMs / totalActivities),
    ...(includeResults && { results }),
  };
}

function fanOut(
  context: OrchestrationContext,
  iterationNumber: number,
  { parallelActivities, activity: cost, trace = false }: FanOutFanInInput,
  onRetry: () => void,
): Task<unknown>[] {
  const options = cost !== undefined && cost.retries > 0 ? { retry: retryPolicy(cost.retries, onRetry) } : undefined;
  return Array.from({ length: parallelActivities }, (_, activityNumber) => {
    const plain = activityInput(context.instanceId, { iterationNumber, activityNumber }, cost);
    const input = trace ? { ...plain, trace } : plain;
    return context.callActivity(FAN_OUT_FAN_IN_ACTIVITY, input, options);
  });
}

/** The contract's input, and what the cost asks for over it. */
function activityInput(
  instanceId: string,
  place: { readonly iterationNumber: number; readonly activityNumber: number },
  cost: ActivityCost | undefined,
): FanOutFanInActivityInput {
  if (cost === undefined) return place;

  const { duration, seed, inputBytes, outputBytes, failureRate } = cost;
  return {
    ...place,
    ...(duration && { durationMs: drawDurationMs(duration, { seed, instanceId, ...place }) }),
    ...(outputBytes > 0 && { outputBytes }),
    ...(failureRate > 0 && { failureRate }),
    ...(inputBytes > 0 && { padding: PADDING.repeat(inputBytes) }),
  };
}

/** `onRetry` is told of each failure, in a replay too; of the last one as well, after which the orchestration fails. */
function retryPolicy(retries: number, onRetry: () => void): RetryPolicy {
  return new RetryPolicy({
    maxNumberOfAttempts: retries + 1,
    firstRetryIntervalInMilliseconds: RETRY_AFTER_MS,
    handleFailure: () => {
      onRetry();
      return true;
    },
  });
}

/** Does as little as its input allows: what a run measures is the backend. */
export async function FanOutFanInActivity(
  _context: ActivityContext,
  rawInput: unknown,
): Promise<FanOutFanInActivityOutput> {
  const startedMs = performance.now();
  const { iterationNumber, activityNumber, durationMs, outputBytes, failureRate, trace } =
    parseFanOutFanInActivityInput(rawInput);
  if (durationMs !== undefined) await setTimeout(durationMs);

  // Drawn anew for each execution: a retry has the same input, and would fail again for ever.
  if (failureRate !== undefined && Math.random() < failureRate) {
    throw new InjectedFailure(
      `Activity (${iterationNumber}, ${activityNumber}) fails as asked, at rate ${failureRate}`,
    );
  }
  const finishedMs = performance.now();
  return {
    iterationNumber,
    activityNumber,
    processingTimeMs: Math.round(finishedMs - startedMs),
    output: ACTIVITY_OUTPUT,
    ...(trace && stamps(startedMs, finishedMs)),
    ...(outputBytes !== undefined && { padding: PADDING.repeat(outputBytes) }),
  };
}

/** Milliseconds since the epoch; a process's clock never jumps, so that the difference is the time of the execution. */
function stamps(
  startedMs: number,
  finishedMs: number,
): Required<Pick<FanOutFanInActivityOutput, "startedAt" | "finishedAt" | "workerId">> {
  return { startedAt: epochMs(startedMs), finishedAt: epochMs(finishedMs), workerId: WORKER_PROCESS };
}

function epochMs(sinceOriginMs: number): number {
  return Math.round((performance.timeOrigin + sinceOriginMs) * 1_000) / 1_000;
}

/** One sentence in place of the message of every activity that failed, of which there may be thousands. */
function failureOf(error: unknown, iterationNumber: number, parallelActivities: number): unknown {
  if (!(error instanceof AggregateError)) return error;
  const [first] = error.errors as readonly unknown[];
  if (!(first instanceof Error)) return error;
  const message = first.message.replace(/^Activity task #\d+ failed: /u, "");
  return new ActivitiesFailed(
    `${error.errors.length} of ${parallelActivities} activities of iteration ${iterationNumber} failed, the first with: ${message}`,
  );
}

class ActivitiesFailed extends Error {
  override readonly name = "ActivitiesFailed";
}

/** A failure that the load test asked for. */
class InjectedFailure extends Error {
  override readonly name = "InjectedFailure";
}

const PADDING = "x";
const RETRY_AFTER_MS = 100;
