import type { LiveInterval, LiveSeries } from "../live/live-update.js";

/** The intervals of a run, as far as its updates have told them. */
export class Course {
  #runId = "";
  #widthMs = 0;
  #intervals: LiveInterval[] = [];

  take(runId: string, { widthMs, intervals }: LiveSeries): void {
    if (runId !== this.#runId || widthMs !== this.#widthMs) this.#intervals = [];
    this.#runId = runId;
    this.#widthMs = widthMs;
    for (const interval of intervals) this.#intervals[interval.index] = interval;
  }

  /** The moments of the run that are over. The interval in progress has no rate yet. */
  until(elapsedMs: number): readonly Moment[] {
    const seconds = this.#widthMs / 1_000;
    let inFlight = 0;
    return Array.from(
      { length: Math.min(this.#intervals.length, Math.floor(elapsedMs / this.#widthMs)) },
      (_, index) => {
        // In an interval that has not been told nothing happened.
        const interval = this.#intervals[index] ?? {
          index,
          offered: 0,
          started: 0,
          completed: 0,
          failed: 0,
          activities: 0,
        };
        const { offered, started, completed, failed, activities, p50, p99, max } = interval;
        inFlight = Math.max(0, inFlight + started - completed - failed);
        return {
          middle: (index + 0.5) * seconds,
          offered: offered / seconds,
          started: started / seconds,
          completed: completed / seconds,
          activities: activities === undefined ? null : activities / seconds,
          inFlight,
          p50: p50 ?? null,
          p99: p99 ?? null,
          max: max ?? null,
        };
      },
    );
  }
}

/** Rates are per second; `middle` is in seconds from the start of the run. */
export interface Moment {
  readonly middle: number;
  readonly offered: number;
  readonly started: number;
  readonly completed: number;
  readonly activities: number | null;
  readonly inFlight: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}
