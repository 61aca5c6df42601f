import { arrivalsIn, type Load, type LoadShape, type Stage } from "../result/load-shape.js";
import { uniformAt } from "../orchestrations/hash-draw.js";

/** What decides when the starts of open load are due; any other load has none. */
export interface ArrivalPlan extends Load {
  readonly seed: number;
}

/** What is due a hair before the end of a stage is due at its end: sums of fractions miss whole numbers. */
const ROUNDING = 1e-6;

/**
 * When the starts of open load are due, the warm-up's first, in ascending milliseconds from the start of the run: a
 * function of the plan alone. The expected number of starts until t is the integral of the rate, L(t). Constant
 * arrivals are due where it reaches 0, 1, 2, ...; those of a Poisson process where it reaches the partial sums of
 * exponential draws of mean 1 (time change of a unit-rate process: Cinlar, Introduction to Stochastic Processes, 1975,
 * section 4.7).
 */
export function* arrivals({ load, warmupMs = 0, seed }: ArrivalPlan): Iterable<number> {
  if (load?.kind !== "open") return;
  let draws = 0;
  const gap = (): number => (load.arrival === "constant" ? 1 : -Math.log(1 - uniformAt(seed, draws++)));
  let next = load.arrival === "constant" ? 0 : gap();
  let stageMs = 0;
  let reached = 0;
  for (const stage of withWarmup(load, warmupMs)) {
    const inStage = arrivalsIn(stage);
    for (; next - reached < inStage - ROUNDING; next += gap()) yield stageMs + timeOf(stage, next - reached);
    stageMs += stage.lengthMs;
    reached += inStage;
  }
}

/** When those starts are due that are left after so many. */
export function* arrivalsAfter(plan: ArrivalPlan, started: number): Iterable<number> {
  let number = 0;
  for (const dueMs of arrivals(plan)) {
    if (number >= started) yield dueMs;
    number += 1;
  }
}

/** The load warms up with the rate with which it begins. */
function withWarmup({ stages }: Extract<LoadShape, { kind: "open" }>, warmupMs: number): readonly Stage[] {
  const { fromPerSecond = 0 } = stages[0] ?? {};
  return warmupMs > 0 ? [{ fromPerSecond, toPerSecond: fromPerSecond, lengthMs: warmupMs }, ...stages] : stages;
}

/** Milliseconds into the stage after which so many starts are due in it: the inverse of a t + (b - a) t^2 / 2l. */
function timeOf({ fromPerSecond, toPerSecond, lengthMs }: Stage, starts: number): number {
  if (starts <= 0) return 0;
  const slope = (toPerSecond - fromPerSecond) / (lengthMs / 1_000);
  // This form of the root neither divides by a slope of 0 nor subtracts numbers that are nearly equal.
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * starts));
  return Math.min(lengthMs, (2_000 * starts) / (fromPerSecond + root));
}
