import { z } from "zod";
import type { ActivityCostRequest } from "../orchestrations/fan-out-fan-in-contract.js";
import { DISTRIBUTION_EXPECTED, parseDistribution } from "./duration-distribution.js";
import { byteCount, count } from "./flags.js";

/** What a payload may hold: some times what the Scheduler takes, and a history holds all of them. */
const MOST_BYTES = 10_000_000;
const MOST_RETRIES = 1_000;

/** What the orchestrations of a run do beyond fanning out and in; absent means nothing. */
export interface WorkloadPlan {
  readonly activity?: ActivityCostRequest;
  /** A new execution, with an empty history, after so many iterations. */
  readonly continueAsNewEvery?: number;
}

/** The flags of `fanout run` that make up a `WorkloadPlan`, as commander hands them over. */
export const workloadFlags = {
  activityDuration: z
    .string()
    .transform((text, context) => {
      const distribution = parseDistribution(text);
      if (distribution !== undefined) return distribution;
      context.addIssue({
        code: "custom",
        message: `--activity-duration: expected ${DISTRIBUTION_EXPECTED}, found "${text}"`,
      });
      return z.NEVER;
    })
    .optional(),
  seed: count("--seed", 0, 2 ** 31 - 1).optional(),
  inputBytes: byteCount("--input-bytes", MOST_BYTES).optional(),
  outputBytes: byteCount("--output-bytes", MOST_BYTES).optional(),
  failureRate: z.string().transform(rate).optional(),
  retries: count("--retries", 0, MOST_RETRIES).optional(),
  continueAsNewEvery: count("--continue-as-new-every", 1, Number.MAX_SAFE_INTEGER).optional(),
};

type WorkloadFlags = z.output<z.ZodObject<typeof workloadFlags>>;

export function workloadOf(flags: WorkloadFlags): WorkloadPlan {
  const { activityDuration, seed, inputBytes, outputBytes, failureRate, retries, continueAsNewEvery } = flags;
  const cost: ActivityCostRequest = {
    ...(activityDuration !== undefined && { duration: activityDuration }),
    ...(seed !== undefined && { seed }),
    ...(inputBytes !== undefined && { inputBytes }),
    ...(outputBytes !== undefined && { outputBytes }),
    ...(failureRate !== undefined && { failureRate }),
    ...(retries !== undefined && { retries }),
  };
  return {
    ...(Object.keys(cost).length > 0 && { activity: cost }),
    ...(continueAsNewEvery !== undefined && { continueAsNewEvery }),
  };
}

/** A share as people write it: `0.01` or `1%`. */
function rate(text: string, context: z.core.$RefinementCtx<string>): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/u.exec(text.trim()) ?? [];
  const value = Number(digits) / (percent === "%" ? 100 : 1);
  if (value >= 0 && value <= 1) return value;
  context.addIssue({
    code: "custom",
    message: `--failure-rate: expected a share from 0 to 1 such as 0.01 or 1%, found "${text}"`,
  });
  return z.NEVER;
}
