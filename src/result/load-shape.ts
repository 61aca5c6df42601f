import type { ValueOf } from "./json-field.js";
import type { loadShape, stage } from "./plan-schema.js";
import type { ResultPlan } from "./run-result.js";
import { partOf } from "./shard.js";

/** When orchestrations start. */
export type LoadShape = ValueOf<typeof loadShape>;

/** A part of a schedule in which the rate changes evenly from one value to another, or stays. */
export type Stage = ValueOf<typeof stage>;

/** The part of a plan that decides how many orchestrations it starts. Without a load, all start at once. */
export type Load = Pick<ResultPlan, "parallelOrchestrations" | "load" | "warmupMs" | "shard">;

/** A start of the plan, with its number and when it is due, in milliseconds from the start of the run. */
export interface PlannedStart {
  readonly sequence: number;
  readonly dueMs: number;
}

/** How many starts of a schedule are due. */
export interface DueCount {
  readonly all: number;
  /** Those that were due in the warm-up. */
  readonly inWarmup: number;
}

/**
 * The number of starts in a plan, or in a shard's part of it, including the warm-up; undefined if time may end it
 * earlier. For random arrivals it is the mean.
 */
export function plannedStarts(plan: Load): number | undefined {
  const starts = startsOfWhole(plan);
  return starts === undefined ? undefined : partOf(starts, plan.shard);
}

function startsOfWhole({ parallelOrchestrations = 0, load = { kind: "once" }, warmupMs = 0 }: Load) {
  if (load.kind === "once") return parallelOrchestrations;
  if (load.kind === "closed") return load.durationMs === undefined ? load.total : undefined;
  const warmup = (warmupMs * (load.stages[0]?.fromPerSecond ?? 0)) / 1_000;
  // A start that is due just before the end counts: sums of fractions miss whole numbers.
  return Math.ceil(load.stages.reduce((sum, stage) => sum + arrivalsIn(stage), warmup) - 1e-6);
}

/**
 * The upper bound of the starts in a plan, or in a shard's part of it; undefined if only time bounds them. For random
 * arrivals it is the mean too.
 */
export function mostStarts(plan: Load): number | undefined {
  if (plan.load?.kind !== "closed") return plannedStarts(plan);
  const { total } = plan.load;
  return total === undefined ? undefined : partOf(total, plan.shard);
}

/** The number of starts in a stage: its length times the mean of its two rates. */
export function arrivalsIn({ fromPerSecond, toPerSecond, lengthMs }: Stage): number {
  return (lengthMs * (fromPerSecond + toPerSecond)) / 2_000;
}

/**
 * The time from the start of the run until the last start is due, in milliseconds, including the warm-up; undefined if
 * no time bounds it.
 */
export function lengthOf({ load = { kind: "once" }, warmupMs = 0 }: Load): number | undefined {
  if (load.kind === "once") return undefined;
  if (load.kind === "closed") return load.durationMs === undefined ? undefined : warmupMs + load.durationMs;
  return load.stages.reduce((sum, { lengthMs }) => sum + lengthMs, warmupMs);
}
