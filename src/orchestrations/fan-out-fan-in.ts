import { setTimeout } from "node:timers/promises";
import {
  RetryPolicy,
  whenAll,
  type ActivityContext,
  type OrchestrationContext,
  type Task,
} from "@microsoft/durabletask-js";
import { WORKER_PROCESS } from "./worker-process.js";
import { FANOUT_VERSION } from "../version.js";
import { drawDurationMs } from "./activity-duration.js";
import { FanInError, checkFanIn, checkParts, isFaultless, partsOf } from "./fan-in.js";
import {
  ACTIVITY_OUTPUT,
  FAN_OUT_FAN_IN_ACTIVITY,
  FAN_OUT_PART_ORCHESTRATION,
  parseFanOutFanInActivityInput,
  parseFanOutFanInInput,
  parseFanOutPartInput,
  partIdOf,
  type ActivityCost,
  type FanOutFanInActivityInput,
  type FanOutFanInActivityOutput,
  type FanOutFanInInput,
  type FanOutFanInOutput,
  type FanOutFanInProgress,
  type FanOutPart,
  type FanOutPartInput,
  type FanOutPartOutput,
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
): AsyncGenerator<Task<unknown>, FanOutFanInOutput | undefined, unknown> {
  const input = parseFanOutFanInInput(rawInput);
  const { iterations, parallelActivities, includeResults, continueAsNewEvery = iterations, carried, timer } = input;
  const startedMs = carried?.startedMs ?? context.currentUtcDateTime.getTime();
  const results: FanOutFanInActivityOutput[] = carried?.results ?? [];
  let processingTimeMs = carried?.processingTimeMs ?? 0;
  let retries = carried?.retries ?? 0;
  const first = carried?.iterationsCompleted ?? 0;
  const end = Math.min(iterations, first + continueAsNewEvery);
  for (let iterationNumber = first; iterationNumber < end; iterationNumber++) {
    if (timer !== undefined && iterationNumber > 0)
      yield context.createTimer(timerEnd(context, timer, iterationNumber));

    const iteration = yield* fanOutAndIn(context, input, iterationNumber);
    processingTimeMs += iteration.processingTimeMs;
    retries += iteration.retries;
    for (const result of iteration.results ?? []) results.push(result);
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

/** A part of a fan-out that its parent has divided among sub-orchestrations. It fails as a whole fan-out does. */
export async function* FanOutFanInPartOrchestration(
  context: OrchestrationContext,
  rawInput: unknown,
): AsyncGenerator<Task<unknown>, FanOutPartOutput, unknown> {
  const input = parseFanOutPartInput(rawInput);
  return yield* activitiesAndIn(context, input, input);
}

/** What a fan-out, or a part of one, has brought. */
type FanIn = Omit<FanOutPartOutput, keyof FanOutPart>;

async function* fanOutAndIn(
  context: OrchestrationContext,
  input: FanOutFanInInput,
  iterationNumber: number,
): AsyncGenerator<Task<unknown>, FanIn, unknown> {
  const { parallelActivities, subOrchestrations } = input;
  if (subOrchestrations === undefined) {
    const whole = { iterationNumber, firstActivity: 0, activities: parallelActivities };
    return yield* activitiesAndIn(context, whole, input);
  }
  const { includeResults, activity, trace } = input;
  const parts = partsOf(iterationNumber, parallelActivities, subOrchestrations);
  const tasks = parts.map((part, number) =>
    context.callSubOrchestrator(
      FAN_OUT_PART_ORCHESTRATION,
      { ...part, includeResults, ...(activity && { activity }), ...(trace && { trace }) } satisfies FanOutPartInput,
      { instanceId: partIdOf(context.instanceId, iterationNumber, number) },
    ),
  );
  let outputs: FanOutPartOutput[];
  try {
    outputs = (yield whenAll(tasks)) as FanOutPartOutput[];
  } catch (error) {
    throw failureOf(error, iterationNumber, { tasks: "parts", total: parts.length });
  }
  const faults = checkParts(parts, outputs);
  if (!isFaultless(faults)) throw new FanInError(iterationNumber, parallelActivities, faults);

  return {
    processingTimeMs: outputs.reduce((sum, { processingTimeMs }) => sum + processingTimeMs, 0),
    retries: outputs.reduce((sum, { retries }) => sum + retries, 0),
    ...(includeResults && { results: outputs.flatMap(({ results = [] }) => results) }),
  };
}

async function* activitiesAndIn(
  context: OrchestrationContext,
  { iterationNumber, firstActivity, activities }: FanOutPart,
  options: Pick<FanOutPartInput, "activity" | "trace" | "includeResults">,
): AsyncGenerator<Task<unknown>, FanOutPartOutput, unknown> {
  let retries = 0;
  const onRetry = (): void => {
    retries += 1;
  };
  const numbers = Array.from({ length: activities }, (_, index) => firstActivity + index);
  let results: FanOutFanInActivityOutput[];
  try {
    results = (yield whenAll(
      fanOut(context, iterationNumber, numbers, options, onRetry),
    )) as FanOutFanInActivityOutput[];
  } catch (error) {
    throw failureOf(error, iterationNumber, { tasks: "activities", total: activities });
  }
  const faults = checkFanIn(iterationNumber, activities, results, firstActivity);
  if (!isFaultless(faults)) throw new FanInError(iterationNumber, activities, faults);

  return {
    iterationNumber,
    firstActivity,
    activities,
    processingTimeMs: results.reduce((sum, { processingTimeMs }) => sum + processingTimeMs, 0),
    retries,
    ...(options.includeResults && { results }),
  };
}

function fanOut(
  context: OrchestrationContext,
  iterationNumber: number,
  activityNumbers: readonly number[],
  { activity: cost, trace = false }: Pick<FanOutPartInput, "activity" | "trace">,
  onRetry: () => void,
): Task<unknown>[] {
  const options = cost !== undefined && cost.retries > 0 ? { retry: retryPolicy(cost.retries, onRetry) } : undefined;
  return activityNumbers.map((activityNumber) => {
    const plain = activityInput(context.instanceId, { iterationNumber, activityNumber }, cost);
    const input = trace ? { ...plain, trace } : plain;
    return context.callActivity(FAN_OUT_FAN_IN_ACTIVITY, input, options);
  });
}

/** When the wait before an iteration ends. */
function timerEnd(
  context: OrchestrationContext,
  { duration, seed }: NonNullable<FanOutFanInInput["timer"]>,
  iterationNumber: number,
): Date {
  const place = { seed, instanceId: context.instanceId, iterationNumber, activityNumber: NO_ACTIVITY };
  return new Date(context.currentUtcDateTime.getTime() + drawDurationMs(duration, place));
}

/** In the place of an activity's number, for what is drawn once in an iteration. */
const NO_ACTIVITY = 0xffff_ffff;

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
    // A literal without spreads: of that many properties, those made by spreading cost a run some percent of its CPU.
    startedAt: trace ? epochMs(startedMs) : undefined,
    finishedAt: trace ? epochMs(finishedMs) : undefined,
    workerId: trace ? WORKER_PROCESS : undefined,
    version: trace ? FANOUT_VERSION : undefined,
    padding: outputBytes === undefined ? undefined : PADDING.repeat(outputBytes),
  };
}

/** Milliseconds since the epoch. A process's clock never jumps, so the difference of two is the time of the execution. */
function epochMs(sinceOriginMs: number): number {
  return Math.round((performance.timeOrigin + sinceOriginMs) * 1_000) / 1_000;
}

/** One sentence in place of the message of every task that failed, of which there may be thousands. */
function failureOf(
  error: unknown,
  iterationNumber: number,
  { tasks, total }: { readonly tasks: "activities" | "parts"; readonly total: number },
): unknown {
  if (!(error instanceof AggregateError)) return error;
  const [first] = error.errors as readonly unknown[];
  if (!(first instanceof Error)) return error;
  const message = first.message.replace(/^(?:Activity|Sub-orchestration) task #\d+ failed: /u, "");
  return new ActivitiesFailed(
    `${error.errors.length} of ${total} ${tasks} of iteration ${iterationNumber} failed, the first with: ${message}`,
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
