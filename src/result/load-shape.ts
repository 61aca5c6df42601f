import type { ValueOf } from "./json-field.js";
import type { loadShape, stage } from "./plan-schema.js";
import type { ResultPlan } from "./run-result.js";

/** When orchestrations are started. */
export type LoadShape = ValueOf<typeof loadShape>;

/** A time in which the rate of starts goes evenly from one value to another, or stays. */
export type Stage = ValueOf<typeof stage>;

/** What of a plan decides how many orchestrations it starts; without a load, all at once. */
export type Load = Pick<ResultPlan, "parallelOrchestrations" | "load" | "warmupMs">;

/**
 * Starts that a plan calls for, the warm-up included; undefined where time may end it before. Of random arrivals it is
 * the mean.
 */
export function plannedStarts({ parallelOrchestrations = 0, load = { kind: "once" }, warmupMs = 0 }: Load) {
  if (load.kind === "once") return parallelOrchestrations;
  if (load.kind === "closed") return load.durationMs === undefined ? load.total : undefined;
  const warmup = (warmupMs * (load.stages[0]?.fromPerSecond ?? 0)) / 1_000;
  // What a schedule has reached a hair before its end has been reached: sums of fractions miss whole numbers.
  return Math.ceil(load.stages.reduce((sum, stage) => sum + arrivalsIn(stage), warmup) - 1e-6);
}

/** Starts that a plan does not go beyond; undefined where only time bounds them. */
export function mostStarts(plan: Load): number | undefined {
  return plan.load?.kind === "closed" ? plan.load.total : plannedStarts(plan);
}

/** Starts that fall into a stage: its length times the mean of its two rates. */
export function arrivalsIn({ fromPerSecond, toPerSecond, lengthMs }: Stage): number {
  return (lengthMs * (fromPerSecond + toPerSecond)) / 2_000;
}

/** Milliseconds from the start of the run until the last start is due, the warm-up included; undefined where no time bounds it. */
export function lengthOf({ load = { kind: "once" }, warmupMs = 0 }: Load): number | undefined {
  if (load.kind === "once") return undefined;
  if (load.kind === "closed") return load.durationMs === undefined ? undefined : warmupMs + load.durationMs;
  return load.stages.reduce((sum, { lengthMs }) => sum + lengthMs, warmupMs);
}
