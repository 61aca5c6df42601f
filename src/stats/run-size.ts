/** The size of a run: N orchestrations of I iterations, each a fan-out of A activities. */
export interface RunSize {
  readonly parallelOrchestrations: number;
  readonly iterations: number;
  readonly parallelActivities: number;
}

/** Activities that a run needs: N x I x A. */
export function activitiesOf(size: RunSize): number {
  return size.parallelOrchestrations * size.iterations * size.parallelActivities;
}

/**
 * The Scheduler's billing units of a run: N x (1 + 2 x I x A), one for each start and two for each activity.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
 */
export function actionsOf(size: RunSize): number {
  return size.parallelOrchestrations * (1 + 2 * size.iterations * size.parallelActivities);
}
