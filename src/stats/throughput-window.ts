import { arrivalsIn, lengthOf } from "../result/load-shape.js";
import { LatencyDrift } from "./latency-drift.js";
import type { IrregularActions } from "./run-counts.js";
import type { ResultPlan, Throughput, WindowTally } from "../result/run-result.js";
import { actionsOf, activitiesOf, furtherActionsOf, mayFail, mayRetry } from "../result/run-size.js";

/** A start that is due just before a whole number of arrivals is due at it: sums of fractions miss whole numbers. */
const ROUNDING = 1e-6;

interface Done {
  readonly activities: number;
  /** Undefined if unknown. */
  readonly actions: number | undefined;
  /** Its own time, if that differs from the time of the other work. */
  readonly actionsOverMs?: number;
}

/**
 * The work after the warm-up and, if time bounds the load, before its end. Times are milliseconds from the start of the
 * run. `docs/measuring.md` has the formulas.
 */
export class ThroughputWindow {
  readonly #fromMs: number;
  /** Undefined if the last completion ends it. */
  readonly #toMs: number | undefined;
  #cutMs = Number.POSITIVE_INFINITY;
  readonly #drift = new LatencyDrift();
  #started = 0;
  #firstDueMs = Number.POSITIVE_INFINITY;
  /** Completions of starts that were due in the window, whenever they completed. */
  #completedOfDue = 0;
  #completed = 0;
  #activities = 0;
  #lastCompletedMs = 0;
  #lastNotCompletedMs = 0;

  constructor(readonly plan: ResultPlan) {
    this.#fromMs = plan.warmupMs ?? 0;
    this.#toMs = lengthOf(plan);
  }

  tally(): WindowTally {
    return {
      started: this.#started,
      ...(Number.isFinite(this.#firstDueMs) && { firstDueMs: this.#firstDueMs }),
      completedOfDue: this.#completedOfDue,
      completed: this.#completed,
      activities: this.#activities,
      lastCompletedMs: this.#lastCompletedMs,
      lastNotCompletedMs: this.#lastNotCompletedMs,
      drift: this.#drift.tally(),
    };
  }

  /** Adds everything of another generator, whose times count from the same moment. */
  absorb(other: WindowTally): void {
    this.#started += other.started;
    this.#firstDueMs = Math.min(this.#firstDueMs, other.firstDueMs ?? Number.POSITIVE_INFINITY);
    this.#completedOfDue += other.completedOfDue;
    this.#completed += other.completed;
    this.#activities += other.activities;
    this.#lastCompletedMs = Math.max(this.#lastCompletedMs, other.lastCompletedMs);
    this.#lastNotCompletedMs = Math.max(this.#lastNotCompletedMs, other.lastNotCompletedMs);
    this.#drift.absorb(other.drift);
  }

  addStart(dueMs: number): void {
    if (!this.#holds(dueMs)) return;
    this.#started += 1;
    this.#firstDueMs = Math.min(this.#firstDueMs, dueMs);
  }

  /** The run ended early at this time. What completes later is not in the window. */
  cut(atMs: number): void {
    this.#cutMs = atMs;
  }

  addCompleted(atMs: number, dueMs: number): void {
    if (atMs <= this.#cutMs) this.#lastCompletedMs = Math.max(this.#lastCompletedMs, atMs);
    if (this.#holds(atMs)) this.#completed += 1;
    if (!this.#holds(dueMs)) return;
    this.#completedOfDue += 1;
    this.#drift.add(dueMs, atMs - dueMs);
  }

  /** An orchestration has failed or was terminated. */
  addNotCompleted(atMs: number): void {
    if (atMs <= this.#cutMs) this.#lastNotCompletedMs = Math.max(this.#lastNotCompletedMs, atMs);
  }

  addActivities(atMs: number, count: number): void {
    if (this.#holds(atMs)) this.#activities += count;
  }

  /**
   * Undefined while nothing has completed. Somebody's own orchestration has neither activities nor actions.
   * `isSettled`: all due starts were sent and have ended. `irregular`: the counts from histories, after the run has
   * ended.
   */
  throughput(endMs: number, isSettled: boolean, irregular?: IrregularActions): Throughput | undefined {
    return this.#isOfSchedule(isSettled) ? this.#ofSchedule(irregular) : this.#untilEnd(endMs, irregular);
  }

  /** The completions that the throughput counts. */
  counted(isSettled: boolean): number {
    return this.#isOfSchedule(isSettled) ? this.#completedOfDue : this.#completed;
  }

  #isOfSchedule(isSettled: boolean): boolean {
    return isSettled && this.plan.load?.kind === "open";
  }

  /**
   * For open load with nothing left: the work of its starts, over the intervals of its schedule plus the growth of the
   * response time. It needs no edge, so that work in flight at the end of a short run is not left out.
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
   * The total length of the intervals of the starts: n starts at an even pace have n intervals, and the last one lasts
   * until one more would be due. The first of a shard begins with the whole. Random arrivals take the whole time.
   */
  #scheduledMs(): number {
    const { load, warmupMs = 0, shard } = this.plan;
    const toMs = this.#toMs ?? 0;
    if (load?.kind !== "open" || load.arrival !== "constant") return toMs - this.#fromMs;
    const [first, last] = [load.stages[0], load.stages.at(-1)];
    const inWarmup = (warmupMs * (first?.fromPerSecond ?? 0)) / 1_000;
    const arrivals = load.stages.reduce((sum, stage) => sum + arrivalsIn(stage), inWarmup);
    const missing = Math.max(0, Math.ceil(arrivals - ROUNDING) - arrivals);
    const paceMs = 1_000 / (last?.toPerSecond ?? 0);
    return (
      toMs + (Number.isFinite(paceMs) ? missing * paceMs : 0) - (shard === undefined ? this.#firstDueMs : this.#fromMs)
    );
  }

  /**
   * If the run waits for all instances, everything that completed counts. A window cuts through work, and the finished
   * parts count. The time of the actions of failed instances is unknown: they count if the whole run counts, until the
   * last has ended.
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
    const further = this.#completed * furtherActionsOf(this.plan);
    const actions = this.#started + further + 2 * this.#activities;
    return { activities: this.#activities, actions: this.#isFormula(irregular) ? actions : undefined };
  }

  /** The actions of completed instances and of irregular ones, whose count is undefined if unknown. */
  #actionsOf(completed: number, irregular: IrregularActions | undefined, counted: number | undefined) {
    const byFormula = completed * (actionsOf(this.plan) ?? 0);
    if (irregular !== undefined && irregular.missing === undefined && counted !== undefined)
      return counted + (mayRetry(this.plan) ? 0 : byFormula);

    return this.#isFormula(irregular) ? byFormula : undefined;
  }

  /** Whether the completed instances did exactly what the plan says, and there was no other work. */
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
    return atMs >= this.#fromMs && atMs <= Math.min(this.#toMs ?? Number.POSITIVE_INFINITY, this.#cutMs);
  }
}
