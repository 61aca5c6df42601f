import { arrivalsIn, lengthOf } from "../result/load-shape.js";
import { LatencyDrift } from "./latency-drift.js";
import type { IrregularActions } from "./run-counts.js";
import type { ResultPlan, Throughput } from "../result/run-result.js";
import { actionsOf, activitiesOf, executionsOf, mayFail, mayRetry } from "../result/run-size.js";

/** What is due a hair before a whole number of arrivals is due at it: sums of fractions miss whole numbers. */
const ROUNDING = 1e-6;

interface Done {
  readonly activities: number;
  /** Undefined where it is not known. */
  readonly actions: number | undefined;
  /** Where it is not the time that all else was done in. */
  readonly actionsOverMs?: number;
}

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
  #lastNotCompletedMs = 0;

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

  /** One has failed or was terminated. */
  addNotCompleted(atMs: number): void {
    this.#lastNotCompletedMs = Math.max(this.#lastNotCompletedMs, atMs);
  }

  addActivities(atMs: number, count: number): void {
    if (this.#holds(atMs)) this.#activities += count;
  }

  /**
   * Undefined while nothing has completed. Of somebody's own orchestration there are neither activities nor actions.
   * `isSettled`: all that was due has left and has ended. `irregular`: what histories tell, once the run has ended.
   */
  throughput(endMs: number, isSettled: boolean, irregular?: IrregularActions): Throughput | undefined {
    const { load } = this.plan;
    return isSettled && load?.kind === "open" ? this.#ofSchedule(irregular) : this.#untilEnd(endMs, irregular);
  }

  /**
   * Of open load of which nothing is left: what its starts came to, over the intervals of its schedule and what response
   * time grew by. It needs no edge, so that what is in flight at the end of a short run is not left out.
   */
  #ofSchedule(irregular: IrregularActions | undefined): Throughput | undefined {
    if (this.#completedOfDue === 0) return undefined;
    const scheduledMs = this.#scheduledMs();
    const windowMs = scheduledMs + this.#drift.over(scheduledMs);
    const each = activitiesOf(this.plan);
    const done = each !== undefined && {
      activities: this.#completedOfDue * each,
      actions: this.#actionsOf(this.#completedOfDue, irregular, irregular?.measured),
    };
    return { windowMs, ...this.#rates(windowMs, this.#completedOfDue, done || undefined) };
  }

  #untilEnd(endMs: number, irregular: IrregularActions | undefined): Throughput | undefined {
    const overMs = Math.min(this.#toMs ?? this.#lastCompletedMs, endMs) - this.#fromMs;
    if (!(overMs > 0) || this.#completed === 0) return undefined;
    const over = this.#toMs === undefined ? { makespanMs: overMs } : { windowMs: overMs };
    return { ...over, ...this.#rates(overMs, this.#completed, this.#done(irregular)) };
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

  /**
   * Where all are waited for, what completed is all; a window cuts through work, whose finished parts count. Of what did
   * not complete it is not known when its actions were: they count where all of the run does, until the last has ended.
   */
  #done(irregular: IrregularActions | undefined): Done | undefined {
    const each = activitiesOf(this.plan);
    if (each === undefined) return undefined;
    if (this.#toMs === undefined) {
      const all = this.#fromMs === 0 ? irregular?.actions : undefined;
      const actions = this.#actionsOf(this.#completed, irregular, all);
      const actionsOverMs = Math.max(this.#lastCompletedMs, this.#lastNotCompletedMs) - this.#fromMs;
      return { activities: this.#completed * each, actions, actionsOverMs };
    }
    const continuations = this.#completed * (executionsOf(this.plan) - 1);
    const actions = this.#started + continuations + 2 * this.#activities;
    return { activities: this.#activities, actions: this.#isFormula(irregular) ? actions : undefined };
  }

  /** Of so many that completed, and of the irregular ones, whose count is undefined where it is not known. */
  #actionsOf(completed: number, irregular: IrregularActions | undefined, counted: number | undefined) {
    const byFormula = completed * (actionsOf(this.plan) ?? 0);
    if (irregular !== undefined && irregular.missing === undefined && counted !== undefined)
      return counted + (mayRetry(this.plan) ? 0 : byFormula);

    return this.#isFormula(irregular) ? byFormula : undefined;
  }

  /** Whether what completed has done what the plan says, and nothing else was meant to be done. */
  #isFormula(irregular: IrregularActions | undefined): boolean {
    return irregular?.instances === 0 || !mayFail(this.plan);
  }

  #rates(
    overMs: number,
    orchestrations: number,
    done: Done | undefined,
  ): Pick<Throughput, "orchestrationsPerSecond" | "activitiesPerSecond" | "actionsPerSecond"> {
    const perSecond = (count: number, ms = overMs): number => (count * 1_000) / ms;
    return {
      orchestrationsPerSecond: perSecond(orchestrations),
      ...(done && { activitiesPerSecond: perSecond(done.activities) }),
      ...(done?.actions !== undefined && { actionsPerSecond: perSecond(done.actions, done.actionsOverMs) }),
    };
  }

  #holds(atMs: number): boolean {
    return atMs >= this.#fromMs && atMs <= (this.#toMs ?? Number.POSITIVE_INFINITY);
  }
}
