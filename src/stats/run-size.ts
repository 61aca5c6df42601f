/** The size of a run: N orchestrations of I iterations, each a fan-out of A activities. */
export interface RunSize {
  readonly parallelOrchestrations: number;
  readonly iterations: number;
  readonly parallelActivities: number;
  /** A new execution after so many iterations; absent means one execution for all of them. */
  readonly continueAsNewEvery?: number;
}

/** Activities that a run needs: N x I x A. */
export function activitiesOf(size: RunSize): number {
  return size.parallelOrchestrations * size.iterations * size.parallelActivities;
}

/** Executions of one orchestration: one for every K iterations begun, K being `continueAsNewEvery`. */
export function executionsOf({ iterations, continueAsNewEvery = iterations }: RunSize): number {
  return Math.ceil(iterations / continueAsNewEvery);
}

/**
 * The Scheduler's billing units of a run: N x (E + 2 x I x A), one for each execution begun (E is 1 without
 * continue-as-new) and two for each activity.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
 */
export function actionsOf(size: RunSize): number {
  return size.parallelOrchestrations * (executionsOf(size) + 2 * size.iterations * size.parallelActivities);
}
