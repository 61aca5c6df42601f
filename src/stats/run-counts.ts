import { plannedStarts } from "./load-shape.js";
import type { HubSurvey, ResultCounts, ResultPlan } from "./run-result.js";
import { activitiesOf, executionsOf, mayFail } from "./run-size.js";

/** What of a run is counted as it goes. */
export interface Counted {
  readonly orchestrations: ResultCounts["orchestrations"];
  /** Starts that the backend acknowledged. */
  readonly accepted: number;
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
  const { started } = orchestrations;
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
      ...actionsOf(plan, counted),
    }),
    rpcErrors: { ...counted.rpcErrors },
  };
}

/**
 * One for each start that the backend took and each continue-as-new, two for each activity whose result is there. That is
 * all where every orchestration completed and no activity was meant to fail. Else activities were dispatched, and failed, and
 * were tried again behind a timer, beyond what anybody tells of.
 */
function actionsOf(plan: ResultPlan, counted: Counted): Pick<ResultCounts, "actions" | "actionsAtLeast"> {
  const { accepted, activities, orchestrations } = counted;
  const known = accepted + orchestrations.completed * (executionsOf(plan) - 1) + 2 * activities;
  const isAll = orchestrations.completed === orchestrations.started && !mayFail(plan);
  return isAll ? { actions: known } : { actionsAtLeast: known };
}

/**
 * Executions beyond one for each activity. Known where the run's own workers did all of its work and no other, and no
 * activity was meant to fail or was cut off.
 */
function reExecutedOf(plan: ResultPlan, counted: Counted): number | undefined {
  const { executed, orchestrations, activities } = counted;
  if (!executed || !("unfinished" in executed.hub) || executed.hub.unfinished > 0) return undefined;
  const wereCutOff = orchestrations.completed < orchestrations.started;
  const beyond = executed.activities - activities;
  return wereCutOff || mayFail(plan) || beyond < 0 ? undefined : beyond;
}
