import { plannedStarts } from "../result/load-shape.js";
import type { HubSurvey, ResultCounts, ResultPlan } from "../result/run-result.js";
import { actionsOf, activitiesOf, executionsOf, mayFail, mayRetry } from "../result/run-size.js";

/** What the histories of instances tell whose actions are no formula: they did not complete, or have retried activities. */
export interface IrregularActions {
  /** How many there are. */
  readonly instances: number;
  /** Of the histories that were read. */
  readonly actions: number;
  /** Of them, those of instances that were due after the warm-up. */
  readonly measured: number;
  /** Why that is not all; absent where it is. */
  readonly missing?: string;
}

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
  readonly rpcErrorsByCall: NonNullable<ResultCounts["rpcErrorsByCall"]>;
  /** Undefined while the run goes on. */
  readonly irregular?: IrregularActions | undefined;
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
      ...countedActions(plan, counted),
    }),
    rpcErrors: { ...counted.rpcErrors },
    ...(Object.keys(counted.rpcErrorsByCall).length > 0 && {
      rpcErrorsByCall: structuredClone(counted.rpcErrorsByCall),
    }),
  };
}

/**
 * By the formula for what completed, and from histories for what is irregular. Where those do not tell all it is at least
 * that, and at least what the run has seen: one for each start that the backend took and each continue-as-new, two for
 * each activity whose result is there.
 */
function countedActions(
  plan: ResultPlan,
  { accepted, activities, orchestrations, irregular }: Counted,
): Pick<ResultCounts, "actions" | "actionsAtLeast" | "actionsMissing"> {
  const seen = accepted + orchestrations.completed * (executionsOf(plan) - 1) + 2 * activities;
  if (!irregular) return { actionsAtLeast: seen };
  const regular = mayRetry(plan) ? 0 : orchestrations.completed * (actionsOf(plan) ?? 0);
  const actions = regular + irregular.actions;
  if (irregular.missing === undefined) return { actions };
  return { actionsAtLeast: Math.max(seen, actions), actionsMissing: irregular.missing };
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
