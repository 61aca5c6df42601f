import type { SoakInterval, SoakSeries } from "../result/soak-schema.js";
import { ChangeAlarm, type Change } from "./change-alarm.js";

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

export interface SeriesChange {
  readonly series: SoakSeries;
  readonly kind: Change["kind"];
  /** The end of the last interval that was as usual. */
  readonly firstBadAt: string;
  readonly at: string;
  readonly usual: number;
  /** The mean since then. */
  readonly found: number;
}

/** One value of a series, and when its interval ended. */
interface Sample {
  readonly at: string;
  readonly value: number;
}

/** The alarms on the series of a soak. `learned` is the number of intervals that they learn from. */
export class SeriesAlarms {
  readonly #alarms: readonly { readonly series: Series; readonly alarm: ChangeAlarm; readonly samples: Sample[] }[];

  constructor(learned: number) {
    this.#alarms = SERIES.map((series) => ({ series, alarm: new ChangeAlarm({ ...series, learned }), samples: [] }));
  }

  add(interval: SoakInterval): readonly SeriesChange[] {
    return this.#alarms.flatMap(({ series, alarm, samples }) => {
      const value = series.valueOf(interval);
      if (value === undefined) return [];
      samples.push({ at: interval.endedAt, value });
      const change = alarm.add(value);
      if (samples.length > KEPT) samples.shift();
      return change ? [this.#told(series, alarm, samples, change)] : [];
    });
  }

  #told(series: Series, alarm: ChangeAlarm, samples: readonly Sample[], change: Change): SeriesChange {
    const bad = samples.slice(-Math.max(1, alarm.count - change.since));
    const before = samples.at(-bad.length - 1) ?? bad[0]!;
    return {
      series: series.name,
      kind: change.kind,
      firstBadAt: before.at,
      at: samples.at(-1)!.at,
      usual: series.shown(change.usual.value),
      found: series.shown(bad.reduce((sum, { value }) => sum + value, 0) / bad.length),
    };
  }
}

/** Of a change that came more slowly, `firstBadAt` is the first interval that is kept. */
const KEPT = 360;
