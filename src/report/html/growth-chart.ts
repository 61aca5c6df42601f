import { formatDuration } from "../../format/duration.js";
import type { Growth, RunResult } from "../../result/run-result.js";
import type { Chart } from "./chart.js";
import type { Line } from "./panel.js";

const TITLE = "What an iteration took, by its number";
const LEAST_GROUPS = 2;

/** The growth of iterations; undefined where there are too few for a line. */
export function growthChart({ fanIn }: RunResult): Chart | undefined {
  const growth = fanIn?.growth;
  if (!growth || growth.groups.length < LEAST_GROUPS) return undefined;
  const xs = growth.groups.map(({ fromIteration, iterations }) => fromIteration + (iterations - 1) / 2);
  const mean: Line = { name: "mean", stroke: "solid", values: growth.groups.map(({ meanMs }) => meanMs) };
  const isSure = growth.interval.from > 0 || growth.interval.to < 0;
  const panel = {
    id: "growth",
    height: "low",
    x: { kind: "number", from: 0, to: xs.at(-1)! },
    y: { unit: "milliseconds", logarithmic: false },
    xs,
    lines: isSure ? [mean, fitted(growth, xs)] : [mean],
    bands: [],
    borders: [],
  } as const;
  return {
    title: TITLE,
    text: textOf(growth, isSure),
    panels: [{ title: "time of an iteration, by its number", panel }],
  };
}

/** A least-squares line goes through the mean of its points. */
function fitted({ groups, per100IterationsMs }: Growth, xs: readonly number[]): Line {
  const count = groups.reduce((sum, { iterations }) => sum + iterations, 0);
  const mean = (of: (index: number) => number): number =>
    groups.reduce((sum, { iterations }, index) => sum + of(index) * iterations, 0) / count;
  const [x, y] = [mean((index) => xs[index]!), mean((index) => groups[index]!.meanMs)];
  return {
    name: "fitted line",
    stroke: "dashed",
    values: xs.map((at) => Math.max(0, y + ((at - x) * per100IterationsMs) / 100)),
  };
}

function textOf({ groups, per100IterationsMs, interval }: Growth, isSure: boolean): string {
  const [first, last] = [groups[0]!, groups.at(-1)!];
  const ends = `The first took ${formatDuration(first.meanMs)} on average, the last ${formatDuration(last.meanMs)}, in the traced orchestrations.`;
  if (!isSure) return `${ends} That is no growth beyond noise.`;
  const change = `${per100IterationsMs > 0 ? "longer" : "shorter"} by ${formatDuration(Math.abs(per100IterationsMs))}`;
  const [from, to] = [interval.from, interval.to].map(Math.abs).toSorted((a, b) => a - b) as [number, number];
  return `${ends} With each further 100 iterations an iteration is ${change} (${formatDuration(from)} to ${formatDuration(to)}).`;
}
