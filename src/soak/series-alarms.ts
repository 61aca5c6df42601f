import type { SoakInterval, SoakSeries } from "../result/soak-schema.js";
import { ChangeAlarm } from "./change-alarm.js";

/** Of the usual value. Of a quieter series, less is nothing to be told. */
const LEAST_THROUGHPUT = 0.02;
/** A logarithm: a twentieth of the latency. */
const LEAST_LATENCY = 0.05;
const LEAST_WORKERS = 0.25;

interface Series {
  readonly name: SoakSeries;
  readonly worse: "lower" | "higher";
  /** What is judged; undefined where the interval does not tell. */
  readonly valueOf: (interval: SoakInterval) => number | undefined;
  readonly leastDeviation: (usual: number) => number;
  /** The judged value as people read it. */
  readonly shown: (value: number) => number;
}

const itself = (value: number): number => value;

const SERIES: readonly Series[] = [
  {
    name: "throughput",
    worse: "lower",
    valueOf: ({ completed, lengthMs }) => (completed * 1_000) / lengthMs,
    leastDeviation: (usual) => usual * LEAST_THROUGHPUT,
    shown: itself,
  },
  latency("latency p50", ({ p50 }) => p50),
  latency("latency p90", ({ p90 }) => p90),
  {
    name: "workers",
    worse: "lower",
    valueOf: ({ workers }) => workers,
    leastDeviation: () => LEAST_WORKERS,
    shown: itself,
  },
];

/** Latencies are judged by their logarithm: a fault multiplies them. */
function latency(name: SoakSeries, msOf: (interval: SoakInterval) => number | undefined): Series {
  return {
    name,
    worse: "higher",
    valueOf: (interval) => {
      const ms = msOf(interval);
      return ms === undefined || ms <= 0 ? undefined : Math.log(ms);
    },
    leastDeviation: () => LEAST_LATENCY,
    shown: Math.exp,
  };
}

export type SeriesChange =
  | {
      readonly kind: "changed";
      readonly series: SoakSeries;
      /** The end of the last interval that was as usual. */
      readonly usualUntil: string;
      readonly at: string;
      readonly usual: number;
      /** The mean since then. */
      readonly found: number;
    }
  | { readonly kind: "recovered"; readonly series: SoakSeries; readonly at: string };

/** One value of a series, and when its interval ended. */
interface Sample {
  readonly at: string;
  readonly value: number;
}

/** A series, its alarm, and its latest samples. */
interface Watched {
  readonly series: Series;
  readonly alarm: ChangeAlarm;
  readonly samples: Sample[];
}

/** Of a change that came more slowly, `usualUntil` is the first interval that is kept. */
const KEPT = 360;

/** The alarms on the series of a soak. `learned` is the number of intervals that they learn from. */
export class SeriesAlarms {
  readonly #watched: readonly Watched[];
  #hasBegun = false;

  constructor(learned: number) {
    this.#watched = SERIES.map((series) => ({ series, alarm: new ChangeAlarm({ ...series, learned }), samples: [] }));
  }

  /** Until the first orchestration completes, nothing can be learned. */
  add(interval: SoakInterval): readonly SeriesChange[] {
    this.#hasBegun ||= interval.completed > 0;
    if (!this.#hasBegun) return [];
    return this.#watched.flatMap(({ series, alarm, samples }): readonly SeriesChange[] => {
      const value = series.valueOf(interval);
      if (value === undefined) return [];
      samples.push({ at: interval.endedAt, value });
      if (samples.length > KEPT) samples.shift();
      const change = alarm.add(value);
      if (change === undefined) return [];
      if (change.kind === "recovered") return [{ kind: change.kind, series: series.name, at: interval.endedAt }];
      const bad = samples.slice(change.since - alarm.count);
      return [
        {
          kind: change.kind,
          series: series.name,
          usualUntil: (samples.at(-bad.length - 1) ?? bad[0]!).at,
          at: interval.endedAt,
          usual: series.shown(change.usual.value),
          found: series.shown(bad.reduce((sum, { value: each }) => sum + each, 0) / bad.length),
        },
      ];
    });
  }
}
