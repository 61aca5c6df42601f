import {
  arrivalsIn,
  type DueCount,
  type Load,
  type LoadShape,
  type PlannedStart,
  type Stage,
} from "../result/load-shape.js";
import { isOfShard, sequenceOfShard } from "../result/shard.js";
import { uniformAt } from "../orchestrations/hash-draw.js";

/** The part of a plan that decides when the starts of open load are due. Other load has no such times. */
export interface ArrivalPlan extends Load {
  readonly seed: number;
}

type OpenLoad = Extract<LoadShape, { kind: "open" }>;

/** A start that is due just before the end of a stage is due at its end: sums of fractions miss whole numbers. */
const ROUNDING = 1e-6;

/**
 * The due times of the starts of open load that are the plan's own: all of the schedule, or those of the plan's shard.
 * Together the shards have exactly the one schedule, random arrivals included.
 */
export function* arrivals(plan: ArrivalPlan): Iterable<number> {
  let sequence = 0;
  for (const dueMs of schedule(plan)) {
    if (isOfShard(sequence, plan.shard)) yield dueMs;
    sequence += 1;
  }
}

/**
 * The due times of the starts of open load, ascending, in milliseconds from the start of the run, including the
 * warm-up. They depend on the plan alone.
 * The expected number of starts until t is the integral of the rate, L(t). Constant arrivals are due where it reaches
 * 0, 1, 2, ... A Poisson process has arrivals where L(t) reaches the partial sums of exponential draws of mean 1 (time
 * change of a unit-rate process: Cinlar, Introduction to Stochastic Processes, 1975, section 4.7).
 */
function* schedule({ load, warmupMs = 0, seed }: ArrivalPlan): Iterable<number> {
  if (load?.kind !== "open") return;
  const gap = gapsOf(load, seed);
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

/** How many starts of open load there are in the whole run: the length of its schedule, without the times. */
export function arrivalCount({ load, warmupMs = 0, seed }: ArrivalPlan): number {
  if (load?.kind !== "open") return 0;
  const gap = gapsOf(load, seed);
  let next = load.arrival === "constant" ? 0 : gap();
  let [count, reached] = [0, 0];
  for (const stage of withWarmup(load, warmupMs)) {
    const inStage = arrivalsIn(stage);
    for (; next - reached < inStage - ROUNDING; next += gap()) count += 1;
    reached += inStage;
  }
  return count;
}

/** How far apart starts are due, in expected starts. */
function gapsOf({ arrival }: OpenLoad, seed: number): () => number {
  let draws = 0;
  return arrival === "constant" ? () => 1 : () => -Math.log(1 - uniformAt(seed, draws++));
}

/** The starts after the first `started` ones, by their numbers in the run. */
export function* arrivalsAfter(plan: ArrivalPlan, started: number): Iterable<PlannedStart> {
  let ordinal = 0;
  for (const dueMs of arrivals(plan)) {
    if (ordinal >= started) yield { sequence: sequenceOfShard(ordinal, plan.shard), dueMs };
    ordinal += 1;
  }
}

/** Counts the starts that are due by a time that only grows. */
export class DueStarts {
  readonly #arrivals: Iterator<number>;
  #next: IteratorResult<number>;
  #all = 0;
  #inWarmup = 0;

  constructor(readonly plan: ArrivalPlan) {
    this.#arrivals = arrivals(plan)[Symbol.iterator]();
    this.#next = this.#arrivals.next();
  }

  /** In milliseconds from the start of the run. */
  by(ms: number): DueCount {
    const { warmupMs = 0 } = this.plan;
    for (; this.#next.done !== true && this.#next.value <= ms; this.#next = this.#arrivals.next()) {
      this.#all += 1;
      if (this.#next.value < warmupMs) this.#inWarmup += 1;
    }
    return { all: this.#all, inWarmup: this.#inWarmup };
  }
}

/** The warm-up has the rate of the beginning of the first stage. */
function withWarmup({ stages }: OpenLoad, warmupMs: number): readonly Stage[] {
  const { fromPerSecond = 0 } = stages[0] ?? {};
  return warmupMs > 0 ? [{ fromPerSecond, toPerSecond: fromPerSecond, lengthMs: warmupMs }, ...stages] : stages;
}

/** The time in a stage, in milliseconds, at which `starts` starts are due: the inverse of a t + (b - a) t^2 / 2l. */
function timeOf({ fromPerSecond, toPerSecond, lengthMs }: Stage, starts: number): number {
  if (starts <= 0) return 0;
  const slope = (toPerSecond - fromPerSecond) / (lengthMs / 1_000);
  // This form of the root neither divides by a slope of 0 nor subtracts nearly equal numbers.
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * starts));
  return Math.min(lengthMs, (2_000 * starts) / (fromPerSecond + root));
}
