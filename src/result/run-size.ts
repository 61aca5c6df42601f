import type { ResultPlan } from "./run-result.js";

/**
 * The size of one orchestration: I iterations, each a fan-out of A activities. Both are absent for somebody's own
 * orchestration, whose content is unknown.
 */
export type OrchestrationSize = Pick<
  ResultPlan,
  "iterations" | "parallelActivities" | "continueAsNewEvery" | "subOrchestrations" | "timer"
>;

/** The number of activities of one orchestration: I x A; undefined if unknown. */
export function activitiesOf({ iterations, parallelActivities }: OrchestrationSize): number | undefined {
  return iterations === undefined || parallelActivities === undefined ? undefined : iterations * parallelActivities;
}

/** The number of executions of one orchestration: one for every K iterations begun, with K = `continueAsNewEvery`. */
export function executionsOf({ iterations = 1, continueAsNewEvery = iterations }: OrchestrationSize): number {
  return Math.ceil(iterations / continueAsNewEvery);
}

/**
 * The number of actions of one orchestration: E + 2 x I x A + 2 x I x S + T, one for each execution begun (E is 1
 * without continue-as-new), two for each activity and each of S sub-orchestrations in a fan-out, and one for each timer
 * between two iterations; undefined if unknown.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
 */
export function actionsOf(size: OrchestrationSize): number | undefined {
  const { iterations = 0, subOrchestrations = 0, timer } = size;
  const activities = activitiesOf(size);
  if (activities === undefined) return undefined;
  const timers = timer === undefined ? 0 : Math.max(0, iterations - 1);
  return executionsOf(size) + 2 * activities + 2 * iterations * subOrchestrations + timers;
}

/** The actions of a completed orchestration beside its start and its activities: 0 if nothing is known of it. */
export function furtherActionsOf(size: OrchestrationSize): number {
  const [actions, activities] = [actionsOf(size), activitiesOf(size)];
  return actions === undefined || activities === undefined ? 0 : actions - 1 - 2 * activities;
}

/** The work of earlier executions before a continue-as-new. Each of their activities completed. */
export interface EarlierExecutions {
  readonly iterationsCompleted: number;
  /** Activities that failed and were retried; undefined if unknown. */
  readonly retries: number | undefined;
}

/** A failed result, a timer, and another start. */
const ACTIONS_OF_RETRY = 3;

export function actionsBefore(
  { iterationsCompleted, retries = 0 }: EarlierExecutions,
  size: OrchestrationSize,
): number {
  return (actionsOf({ ...size, iterations: iterationsCompleted }) ?? 0) + ACTIONS_OF_RETRY * retries;
}

/**
 * The actions of one orchestration of which as much fails as may: each activity is tried as often as it is allowed to. Of
 * one that does not retry a failure costs what a success does, and ends it.
 */
export function mostActionsOf(size: OrchestrationSize & Pick<ResultPlan, "activity">): number | undefined {
  const [actions, activities] = [actionsOf(size), activitiesOf(size)];
  if (actions === undefined || activities === undefined) return undefined;
  return actions + (mayFail(size) ? ACTIONS_OF_RETRY * retriesOf(size) * activities : 0);
}

/** Whether an activity of the plan that has failed is tried again, so that a completed orchestration is no formula. */
export function mayRetry(plan: Pick<ResultPlan, "activity">): boolean {
  return retriesOf(plan) > 0;
}

function retriesOf({ activity = {} }: Pick<ResultPlan, "activity">): number {
  return "retries" in activity ? Number(activity.retries) : 0;
}

/** Whether activities of the plan are meant to fail: how often they are tried and what becomes of them is no formula. */
export function mayFail({ activity = {} }: Pick<ResultPlan, "activity">): boolean {
  return "failureRate" in activity && Number(activity.failureRate) > 0;
}
