import type { z } from "zod";
import { UsageError } from "../errors.js";
import { formatCount } from "../format/count.js";
import type { ActivityCostRequest, FanOutFanInRequest } from "../orchestrations/fan-out-fan-in-contract.js";
import { distribution } from "./duration-distribution.js";
import { byteCount, count, given, share, type Given } from "./flag-values.js";

/** More is a day's work for a laptop, and the history of an orchestration must fit into a worker's memory. */
const MOST_ACTIVITIES_IN_ONE = 1_000_000;
/** The largest payload: several times the Scheduler's limit. A history holds all payloads. */
const MOST_BYTES = 10_000_000;
const MOST_RETRIES = 1_000;

/** The flags that are fields of an orchestration's input, with the same names. */
const inputFlags = {
  iterations: count("--iterations", 1, MOST_ACTIVITIES_IN_ONE),
  parallelActivities: count("--parallel-activities", 1, MOST_ACTIVITIES_IN_ONE),
  continueAsNewEvery: count("--continue-as-new-every", 1, Number.MAX_SAFE_INTEGER).optional(),
  subOrchestrations: count("--sub-orchestrations", 1, MOST_ACTIVITIES_IN_ONE).optional(),
} satisfies { readonly [K in keyof FanOutFanInRequest]: z.ZodType<FanOutFanInRequest[K]> };

/** What an iteration begins with, but for the first. */
const timerFlags = { timer: distribution("--timer").optional() };

/** The flags that are fields of its `activity`: the cost of activities. */
const activityFlags = {
  activityDuration: distribution("--activity-duration").optional(),
  seed: count("--seed", 0, 2 ** 31 - 1).optional(),
  inputBytes: byteCount("--input-bytes", MOST_BYTES).optional(),
  outputBytes: byteCount("--output-bytes", MOST_BYTES).optional(),
  failureRate: share("--failure-rate", "0.01 or 1%").optional(),
  retries: count("--retries", 0, MOST_RETRIES).optional(),
};

/** The flags of `fanout run` that make up a `WorkloadPlan`, as commander returns them. */
export const workloadFlags = { ...inputFlags, ...timerFlags, ...activityFlags };

type WorkloadFlags = z.output<z.ZodObject<typeof workloadFlags>>;

/** The work of each orchestration of a run: the fields of its input. */
export interface WorkloadPlan extends Given<Pick<WorkloadFlags, keyof typeof inputFlags>> {
  readonly activity?: ActivityCostRequest;
  readonly timer?: NonNullable<FanOutFanInRequest["timer"]>;
}

/** @throws UsageError if one orchestration would have too many activities, or more sub-orchestrations than activities */
export function workloadOf(flags: WorkloadFlags): WorkloadPlan {
  const activities = flags.iterations * flags.parallelActivities;
  if (activities > MOST_ACTIVITIES_IN_ONE) {
    throw new UsageError(
      "invalid-load",
      `--iterations x --parallel-activities: expected at most ${formatCount(MOST_ACTIVITIES_IN_ONE)} activities in ` +
        `one orchestration, found ${formatCount(activities)}`,
      { hint: "use --parallel-orchestrations to spread them" },
    );
  }
  if ((flags.subOrchestrations ?? 1) > flags.parallelActivities) {
    throw new UsageError(
      "invalid-load",
      `--sub-orchestrations: expected at most one for each of the ${formatCount(flags.parallelActivities)} parallel ` +
        `activities, found ${formatCount(flags.subOrchestrations ?? 1)}`,
    );
  }
  const { activityDuration: duration, ...costs } = given(flags, activityFlags);
  const activity: ActivityCostRequest = { ...(duration && { duration }), ...costs };
  const { timer, seed } = flags;
  return {
    ...given(flags, inputFlags),
    ...(timer && { timer: { duration: timer, ...(seed !== undefined && { seed }) } }),
    ...(Object.keys(activity).length > 0 && { activity }),
  };
}

/** The input of each orchestration. It excludes the results of activities, which nobody reads. */
export function inputOf(plan: Partial<WorkloadPlan>): FanOutFanInRequest {
  const { activity, timer } = plan;
  return { ...given(plan, inputFlags), ...(timer && { timer }), ...(activity && { activity }), includeResults: false };
}
