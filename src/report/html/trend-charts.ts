import { figureOf } from "../../result/figure.js";
import type { RunResult } from "../../result/run-result.js";
import { figuresOf } from "../../stats/comparison.js";
import { spreadOf, type Spread } from "../../stats/spread.js";
import { studentTQuantile } from "../../stats/student-t.js";
import { objectionTo } from "../../stats/unusable-run.js";
import { figureValueText } from "../comparison-rows.js";
import type { Chart } from "./chart.js";
import type { Line, Panel } from "./panel.js";

/** Two points show no trend. */
const LEAST_RUNS = 3;
const CONFIDENCE = 0.95;

/**
 * The main figures of several runs in the order given, with the mean of those that count and its confidence interval. A run
 * that does not count has its number and no point.
 */
export function trendCharts(results: readonly RunResult[]): readonly Chart[] {
  const runs = results.map((result) => (objectionTo(result, false) ? undefined : result));
  const sound = runs.filter((run) => run !== undefined);
  if (sound.length < LEAST_RUNS) return [];
  const { figures } = spreadOf(sound);
  return figuresOf(sound).flatMap((name, index) => {
    const spread = figures.find(({ figure }) => figure === name);
    return spread ? [trendChart(spread, sound.length, `trend-${index}`, runs)] : [];
  });
}

/** @param runs with `undefined` in place of those that do not count */
function trendChart(spread: Spread, count: number, id: string, runs: readonly (RunResult | undefined)[]): Chart {
  const { figure, mean } = spread;
  const definition = figureOf(figure);
  const half = halfInterval(spread, count);
  const [from, to] = [Math.max(0, mean - half), mean + half];
  const level = (name: string, stroke: Line["stroke"], value: number): Line => {
    return { name, stroke, values: runs.map(() => value) };
  };
  const panel: Panel = {
    id,
    height: "low",
    x: { kind: "number", from: 1, to: runs.length },
    y: { unit: definition?.kind === "rate" ? "perSecond" : "milliseconds", logarithmic: false },
    xs: runs.map((_run, index) => index + 1),
    lines: [
      level("mean", "broad", mean),
      level("95 % from", "dotted", from),
      level("95 % to", "dotted", to),
      {
        name: "run",
        stroke: "solid",
        values: runs.map((run) => (run && definition?.read(run)) ?? null),
        dots: runs.flatMap((run, index) => (run ? [index] : [])),
      },
    ],
    bands: [],
    borders: [],
  };
  const [low, high] = [from, to].map((value) => figureValueText(figure, value));
  const text = `The mean is ${figureValueText(figure, mean)}, with 95 % confidence between ${low} and ${high}.`;
  return { title: `${figure}, by run`, text, panels: [{ title: `${figure}, by the number of the run`, panel }] };
}

/** Half of the confidence interval of a mean of independent runs, by Student's t. */
function halfInterval({ deviation = 0 }: Spread, count: number): number {
  return (studentTQuantile((1 + CONFIDENCE) / 2, count - 1) * deviation) / Math.sqrt(count);
}
