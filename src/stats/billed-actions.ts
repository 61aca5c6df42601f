/**
 * History events that stand for an action: a message that was dispatched to the application, or a result that it
 * processed. A sub-orchestration is counted where it was started.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
 */
const BILLED = [
  "ExecutionStarted",
  "TaskScheduled",
  "TaskCompleted",
  "TaskFailed",
  "SubOrchestrationInstanceCreated",
  "SubOrchestrationInstanceCompleted",
  "SubOrchestrationInstanceFailed",
  "TimerFired",
  "EventRaised",
  "ExecutionSuspended",
  "ExecutionResumed",
  "ExecutionTerminated",
  "EntityOperationSignaled",
  "EntityOperationCalled",
  "EntityOperationCompleted",
  "EntityOperationFailed",
];

/** The number of actions of a history, from the number of its events of each type. */
export function billedActions(events: Readonly<Record<string, number>>): number {
  return BILLED.reduce((sum, type) => sum + (events[type] ?? 0), 0);
}
