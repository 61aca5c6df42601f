import { mostStarts, plannedStarts, type Load } from "./load-shape.js";
import type { ResultPlan } from "./run-result.js";
import { actionsOf, activitiesOf, mostActionsOf, type OrchestrationSize } from "./run-size.js";

/** The cost of a plan, as far as it is known in advance. */
export interface PlanCost {
  /** The number of starts, including the warm-up, or its mean; undefined if time may end it earlier. */
  readonly starts: number | undefined;
  /** The upper bound of starts; undefined if only time bounds them. */
  readonly mostStarts: number | undefined;
  /** The cost of one orchestration; undefined for somebody's own. */
  readonly each: OrchestrationCost | undefined;
}

interface OrchestrationCost {
  readonly activities: number;
  /** If nothing fails. */
  readonly actions: number;
  /** If as much fails as possible. */
  readonly mostActions: number;
}

/** The part of a plan that decides the work of orchestrations and their starts. */
export type PlanShape = Load & OrchestrationSize & Pick<ResultPlan, "activity" | "orchestrator" | "orchestrations">;

/** Of random arrivals, it has the mean in place of their number. `plannedCostOf` has the number. */
export function costOf(plan: PlanShape): PlanCost {
  const [activities, actions, mostActions] = [activitiesOf(plan), actionsOf(plan), mostActionsOf(plan)];
  const isKnown = activities !== undefined && actions !== undefined && mostActions !== undefined;
  return {
    starts: plannedStarts(plan),
    mostStarts: mostStarts(plan),
    each: isKnown ? { activities, actions, mostActions } : undefined,
  };
}
