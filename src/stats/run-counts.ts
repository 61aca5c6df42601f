import { plannedStarts } from "../result/load-shape.js";
import type { HubSurvey, ResultCounts, ResultPlan } from "../result/run-result.js";
import { actionsOf, activitiesOf, furtherActionsOf, mayFail, mayRetry } from "../result/run-size.js";

/**
 * The actions of instances that no formula covers, from their histories: they did not complete, or have retried
 * activities.
 */
export interface IrregularActions {
  /** The number of such instances. */
  readonly instances: number;
  /** The actions in the histories that were read. */
  readonly actions: number;
  /** The part of `actions` in instances that were due after the warm-up. */
  readonly measured: number;
  /** Why the count is incomplete; absent if it is complete. */
  readonly missing?: string;
}

/** The counts of a run in progress. */
export interface Counted {
  readonly orchestrations: ResultCounts["orchestrations"];
  /** Undefined if a shard does not tell its own. */
  readonly measured?: ResultCounts["measured"];
  /** Starts that the backend acknowledged. */
  readonly accepted: number;
  /** Started orchestrations that were due in the warm-up. */
  readonly inWarmup: number;
  /** Starts of the plan that were never sent, due or not. */
  readonly neverSent: number;
  /** Those that were due. */
  readonly unsent?: number;
  readonly activities: number;
  readonly activitySource: "emulator" | "completions";
  readonly rpcErrors: Readonly<Record<string, number>>;
  readonly rpcErrorsByCall: NonNullable<ResultCounts["rpcErrorsByCall"]>;
  /** Undefined during the run. */
  readonly irregular?: IrregularActions | undefined;
  /** The activities that the run's own workers executed, and other work on the hub; undefined if others took part. */
  readonly executed?: { readonly activities: number; readonly hub: HubSurvey } | undefined;
}

/** The counts of a result, and those that follow from the plan. */
export function countsOf(plan: ResultPlan, counted: Counted): ResultCounts {
  const { orchestrations, measured, unsent = 0, activities, activitySource } = counted;
  const { started } = orchestrations;
  // For random arrivals, the plan knows only the mean.
  const planned = plan.load?.kind === "open" ? started + counted.neverSent : plannedStarts(plan);
  const each = activitiesOf(plan);
  const reExecuted = reExecutedOf(plan, counted);
  return {
    ...(planned !== undefined && { planned }),
    ...(plan.warmupMs !== undefined && { warmup: counted.inWarmup }),
    ...(unsent > 0 && { unsent }),
    orchestrations,
    ...(measured && { measured }),
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
 * Uses the formula for completed instances, and histories for irregular ones. If histories are incomplete, the sum is a
 * lower bound. So is what the run has seen: one for each accepted start, two for each activity with a result, and
 * what completed instances had besides.
 */
function countedActions(
  plan: ResultPlan,
  { accepted, activities, orchestrations, irregular }: Counted,
): Pick<ResultCounts, "actions" | "actionsAtLeast" | "actionsMissing"> {
  const seen = accepted + orchestrations.completed * furtherActionsOf(plan) + 2 * activities;
  if (!irregular) return { actionsAtLeast: seen };
  const regular = mayRetry(plan) ? 0 : orchestrations.completed * (actionsOf(plan) ?? 0);
  const actions = regular + irregular.actions;
  if (irregular.missing === undefined) return { actions };
  return { actionsAtLeast: Math.max(seen, actions), actionsMissing: irregular.missing };
}

/**
 * The executions beyond one for each activity. Known if only the run's own workers did its work and nothing else, and
 * if no activity was meant to fail or was cut off.
 */
function reExecutedOf(plan: ResultPlan, counted: Counted): number | undefined {
  const { executed, orchestrations, activities } = counted;
  if (!executed || !("unfinished" in executed.hub) || executed.hub.unfinished > 0) return undefined;
  const wereCutOff = orchestrations.completed < orchestrations.started;
  const beyond = executed.activities - activities;
  return wereCutOff || mayFail(plan) || beyond < 0 ? undefined : beyond;
}
