import { plannedStarts } from "./load-shape.js";
import type { HubSurvey, ResultCounts, ResultPlan } from "./run-result.js";
import { activitiesOf, executionsOf } from "./run-size.js";

/** What of a run is counted as it goes. */
export interface Counted {
  readonly orchestrations: ResultCounts["orchestrations"];
  /** Of the started, those that were due in the warm-up. */
  readonly inWarmup: number;
  /** Starts that were due and never left. */
  readonly neverSent: number;
  readonly activities: number;
  readonly activitySource: "emulator" | "completions";
  readonly rpcErrors: Readonly<Record<string, number>>;
  /** What the run's own workers executed, and what else was on the hub; undefined where others did the work. */
  readonly executed?: { readonly activities: number; readonly hub: HubSurvey } | undefined;
}

/** The counts of a result, with those that follow from the plan. */
export function countsOf(plan: ResultPlan, counted: Counted): ResultCounts {
  const { orchestrations, activities, activitySource } = counted;
  const { started, completed } = orchestrations;
  // Of random arrivals a plan knows the mean alone.
  const planned = plan.load?.kind === "open" ? started + counted.neverSent : plannedStarts(plan);
  const each = activitiesOf(plan);
  const reExecuted = reExecutedOf(plan, counted);
  return {
    ...(planned !== undefined && { planned }),
    ...(plan.warmupMs !== undefined && { warmup: counted.inWarmup }),
    orchestrations,
    ...(each !== undefined && {
      activities: {
        needed: each * (planned ?? started),
        completed: activities,
        ...(reExecuted !== undefined && { reExecuted }),
        source: activitySource,
      },
      actions: started + completed * (executionsOf(plan) - 1) + 2 * activities,
    }),
    rpcErrors: { ...counted.rpcErrors },
  };
}

/**
 * Executions beyond one for each activity. Known where the run's own workers did all of its work and no other, and no
 * activity was meant to fail or was cut off.
 */
function reExecutedOf({ activity = {} }: ResultPlan, counted: Counted): number | undefined {
  const { executed, orchestrations, activities } = counted;
  if (!executed || !("unfinished" in executed.hub) || executed.hub.unfinished > 0) return undefined;
  const wereCutOff = orchestrations.completed < orchestrations.started;
  const beyond = executed.activities - activities;
  return wereCutOff || "failureRate" in activity || beyond < 0 ? undefined : beyond;
}
