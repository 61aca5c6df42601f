import { arrivalsIn, lengthOf } from "./load-shape.js";
import { LatencyDrift } from "./latency-drift.js";
import type { ResultPlan, Throughput } from "./run-result.js";
import { actionsOf, activitiesOf, executionsOf, mayFail } from "./run-size.js";

/** What is due a hair before a whole number of arrivals is due at it: sums of fractions miss whole numbers. */
const ROUNDING = 1e-6;

/**
 * What was done after the warm-up and, where time bounds the load, before its end. Times are milliseconds from the
 * start of the run. `docs/measuring.md` has the formulas.
 */
export class ThroughputWindow {
  readonly #fromMs: number;
  /** Undefined where the last completion ends it. */
  readonly #toMs: number | undefined;
  readonly #drift = new LatencyDrift();
  #started = 0;
  #firstDueMs = Number.POSITIVE_INFINITY;
  /** Of those that were due in the window, whenever they completed. */
  #completedOfDue = 0;
  #completed = 0;
  #activities = 0;
  #lastCompletedMs = 0;

  constructor(readonly plan: ResultPlan) {
    this.#fromMs = plan.warmupMs ?? 0;
    this.#toMs = lengthOf(plan);
  }

  addStart(dueMs: number): void {
    if (!this.#holds(dueMs)) return;
    this.#started += 1;
    this.#firstDueMs = Math.min(this.#firstDueMs, dueMs);
  }

  addCompleted(atMs: number, dueMs: number): void {
    this.#lastCompletedMs = Math.max(this.#lastCompletedMs, atMs);
    if (this.#holds(atMs)) this.#completed += 1;
    if (!this.#holds(dueMs)) return;
    this.#completedOfDue += 1;
    this.#drift.add(dueMs, atMs - dueMs);
  }

  addActivities(atMs: number, count: number): void {
    if (this.#holds(atMs)) this.#activities += count;
  }

  /**
   * Undefined while nothing has completed. Of somebody's own orchestration there are neither activities nor actions.
   * `isSettled`: all that was due has left and has ended.
   */
  throughput(endMs: number, isSettled: boolean): Throughput | undefined {
    const { load } = this.plan;
    return isSettled && load?.kind === "open" ? this.#ofSchedule() : this.#untilEnd(endMs);
  }

  /**
   * Of open load of which nothing is left: what its starts came to, over the intervals of its schedule and what response
   * time grew by. It needs no edge, so that what is in flight at the end of a short run is not left out.
   */
  #ofSchedule(): Throughput | undefined {
    if (this.#completedOfDue === 0) return undefined;
    const scheduledMs = this.#scheduledMs();
    const windowMs = scheduledMs + this.#drift.over(scheduledMs);
    const activities = activitiesOf(this.plan);
    const actions = actionsOf(this.plan);
    const done = activities !== undefined &&
      actions !== undefined && {
        activities: this.#completedOfDue * activities,
        actions: this.#completedOfDue * actions,
      };
    return { windowMs, ...this.#rates(windowMs, this.#completedOfDue, done || undefined) };
  }

  #untilEnd(endMs: number): Throughput | undefined {
    const overMs = Math.min(this.#toMs ?? this.#lastCompletedMs, endMs) - this.#fromMs;
    if (!(overMs > 0) || this.#completed === 0) return undefined;
    const over = this.#toMs === undefined ? { makespanMs: overMs } : { windowMs: overMs };
    return { ...over, ...this.#rates(overMs, this.#completed, this.#done()) };
  }

  /**
   * How long the intervals of the starts are: n starts at an even pace have n, the last one's reaching until one more would
   * be due. Random arrivals are as many as the time has.
   */
  #scheduledMs(): number {
    const { load, warmupMs = 0 } = this.plan;
    const toMs = this.#toMs ?? 0;
    if (load?.kind !== "open" || load.arrival !== "constant") return toMs - this.#fromMs;
    const [first, last] = [load.stages[0], load.stages.at(-1)];
    const inWarmup = (warmupMs * (first?.fromPerSecond ?? 0)) / 1_000;
    const arrivals = load.stages.reduce((sum, stage) => sum + arrivalsIn(stage), inWarmup);
    const missing = Math.max(0, Math.ceil(arrivals - ROUNDING) - arrivals);
    const paceMs = 1_000 / (last?.toPerSecond ?? 0);
    return toMs + (Number.isFinite(paceMs) ? missing * paceMs : 0) - this.#firstDueMs;
  }

  /** Where all are waited for, what completed is all; a window cuts through work, whose finished parts count. */
  #done(): { readonly activities: number; readonly actions: number } | undefined {
    const each = activitiesOf(this.plan);
    if (each === undefined) return undefined;
    if (this.#toMs === undefined) {
      return { activities: this.#completed * each, actions: this.#completed * (actionsOf(this.plan) ?? 0) };
    }
    const continuations = this.#completed * (executionsOf(this.plan) - 1);
    return { activities: this.#activities, actions: this.#started + continuations + 2 * this.#activities };
  }

  #rates(
    overMs: number,
    orchestrations: number,
    done: { readonly activities: number; readonly actions: number } | undefined,
  ): Pick<Throughput, "orchestrationsPerSecond" | "activitiesPerSecond" | "actionsPerSecond"> {
    const perSecond = (count: number): number => (count * 1_000) / overMs;
    return {
      orchestrationsPerSecond: perSecond(orchestrations),
      ...(done && { activitiesPerSecond: perSecond(done.activities) }),
      ...(done && !mayFail(this.plan) && { actionsPerSecond: perSecond(done.actions) }),
    };
  }

  #holds(atMs: number): boolean {
    return atMs >= this.#fromMs && atMs <= (this.#toMs ?? Number.POSITIVE_INFINITY);
  }
}
