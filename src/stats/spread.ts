import { commonOrchestrations } from "./common-orchestrations.js";
import { latencyOf } from "./comparison.js";
import { figureOf, nameInMix } from "../result/figure.js";
import { meanOf } from "./mean.js";
import type { RunResult, UnusableRun } from "../result/run-result.js";
import { unusableRuns } from "./unusable-run.js";

/** The variation of a figure between runs, in its own unit. */
export interface Spread {
  /** In the notation of thresholds, such as `response p50`. */
  readonly figure: string;
  /** The arithmetic mean. */
  readonly mean: number;
  /** The sample standard deviation; absent for a single run. */
  readonly deviation?: number;
  readonly least: number;
  readonly most: number;
}

/** The summary of several runs. */
export interface RunsSpread {
  /** The number of runs in the figures. */
  readonly count: number;
  /** The figures that all of those runs have. */
  readonly figures: readonly Spread[];
  /** Runs that failed or are invalid. They are in no figure. */
  readonly leftOut: readonly UnusableRun[];
}

export function spreadOf(runs: readonly RunResult[]): RunsSpread {
  const sound = runs.filter((run) => unusableRuns("new", [run]).length === 0);
  return {
    count: sound.length,
    figures: sound.length === 0 ? [] : figuresOf(sound).flatMap((figure) => spreadOfFigure(figure, sound)),
    leftOut: unusableRuns("new", runs),
  };
}

function figuresOf(runs: readonly RunResult[]): readonly string[] {
  const latency = latencyOf(runs);
  const latencies = ["mean", "p50", "p90", "p95", "p99", "max"].map((statistic) => `${latency} ${statistic}`);
  const names = commonOrchestrations(runs);
  const named = names.flatMap((name) =>
    ["orchestrations/s", `${latency} p50`, `${latency} p99`].map((figure) => nameInMix(name, figure, names)),
  );
  return ["orchestrations/s", "activities/s", ...latencies, ...named];
}

function spreadOfFigure(figure: string, runs: readonly RunResult[]): readonly Spread[] {
  const values = runs.flatMap((run) => figureOf(figure)?.read(run) ?? []);
  if (values.length < runs.length) return [];
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = values.length < 2 ? {} : { deviation: Math.sqrt(squares / (values.length - 1)) };
  return [{ figure, mean, ...deviation, least: Math.min(...values), most: Math.max(...values) }];
}
