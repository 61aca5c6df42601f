/**
 * The size of a run: N orchestrations of I iterations, each a fan-out of A activities. I and A are absent where the run
 * starts somebody's own orchestration: what that does is not known.
 */
export interface RunSize {
  readonly parallelOrchestrations: number;
  readonly iterations?: number;
  readonly parallelActivities?: number;
  /** A new execution after so many iterations; absent means one execution for all of them. */
  readonly continueAsNewEvery?: number;
}

/** Activities that a run needs: N x I x A; undefined where that is not known. */
export function activitiesOf({ parallelOrchestrations, iterations, parallelActivities }: RunSize): number | undefined {
  return iterations === undefined || parallelActivities === undefined
    ? undefined
    : parallelOrchestrations * iterations * parallelActivities;
}

/** Executions of one orchestration: one for every K iterations begun, K being `continueAsNewEvery`. */
export function executionsOf({ iterations = 1, continueAsNewEvery = iterations }: RunSize): number {
  return Math.ceil(iterations / continueAsNewEvery);
}

/**
 * The Scheduler's billing units of a run: N x (E + 2 x I x A), one for each execution begun (E is 1 without
 * continue-as-new) and two for each activity; undefined where they are not known.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
 */
export function actionsOf(size: RunSize): number | undefined {
  const activities = activitiesOf(size);
  return activities === undefined ? undefined : size.parallelOrchestrations * executionsOf(size) + 2 * activities;
}
