import { lengthOf } from "./load-shape.js";
import type { ResultPlan, Throughput } from "./run-result.js";
import { actionsOf, activitiesOf, executionsOf } from "./run-size.js";

/**
 * What was done after the warm-up and, where time bounds the load, before its end. Times are milliseconds from the
 * start of the run.
 */
export class ThroughputWindow {
  readonly #fromMs: number;
  /** Undefined where the last completion ends it. */
  readonly #toMs: number | undefined;
  #started = 0;
  #completed = 0;
  #activities = 0;
  #lastCompletedMs = 0;

  constructor(readonly plan: ResultPlan) {
    this.#fromMs = plan.warmupMs ?? 0;
    this.#toMs = lengthOf(plan);
  }

  addStart(dueMs: number): void {
    if (this.#holds(dueMs)) this.#started += 1;
  }

  addCompleted(atMs: number): void {
    this.#lastCompletedMs = Math.max(this.#lastCompletedMs, atMs);
    if (this.#holds(atMs)) this.#completed += 1;
  }

  addActivities(atMs: number, count: number): void {
    if (this.#holds(atMs)) this.#activities += count;
  }

  /** Undefined while nothing has completed. Of somebody's own orchestration there are neither activities nor actions. */
  throughput(endMs: number): Throughput | undefined {
    const overMs = Math.min(this.#toMs ?? this.#lastCompletedMs, endMs) - this.#fromMs;
    if (!(overMs > 0) || this.#completed === 0) return undefined;
    const perSecond = (count: number): number => (count * 1_000) / overMs;
    const done = this.#done();
    return {
      ...(this.#toMs === undefined ? { makespanMs: overMs } : { windowMs: overMs }),
      orchestrationsPerSecond: perSecond(this.#completed),
      ...(done && { activitiesPerSecond: perSecond(done.activities), actionsPerSecond: perSecond(done.actions) }),
    };
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

  #holds(atMs: number): boolean {
    return atMs >= this.#fromMs && atMs <= (this.#toMs ?? Number.POSITIVE_INFINITY);
  }
}
