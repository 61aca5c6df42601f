import { mostStarts, plannedStarts, type Load } from "./load-shape.js";
import type { ResultPlan } from "./run-result.js";
import { actionsOf, activitiesOf, mostActionsOf, type OrchestrationSize } from "./run-size.js";

/** What a plan comes to, as far as it is known before it has run. */
export interface PlanCost {
  /** Starts that it calls for, the warm-up included; undefined where time may end it before. */
  readonly starts: number | undefined;
  /** Starts that it does not go beyond; undefined where only time bounds them. */
  readonly mostStarts: number | undefined;
  /** Of one orchestration; undefined of somebody's own. */
  readonly each: OrchestrationCost | undefined;
}

interface OrchestrationCost {
  readonly activities: number;
  /** Where nothing fails. */
  readonly actions: number;
  /** Where as much fails as may. */
  readonly mostActions: number;
}

/** What of a plan says what orchestrations do and when they start. */
export type PlanShape = Load & OrchestrationSize & Pick<ResultPlan, "activity" | "orchestrator">;

export function costOf(plan: PlanShape): PlanCost {
  const [activities, actions, mostActions] = [activitiesOf(plan), actionsOf(plan), mostActionsOf(plan)];
  const isKnown = activities !== undefined && actions !== undefined && mostActions !== undefined;
  return {
    starts: plannedStarts(plan),
    mostStarts: mostStarts(plan),
    each: isKnown ? { activities, actions, mostActions } : undefined,
  };
}
