import { plural } from "../../format/count.js";
import { formatDuration } from "../../format/duration.js";
import type { RunResult } from "../../result/run-result.js";
import { measuredStartsOf } from "../../result/stored-percentile.js";
import type { Chart } from "./chart.js";
import type { Line, Panel } from "./panel.js";
import { percentileCurve, percentilePosition, percentileSteps, type PercentileCurve } from "./percentile-curve.js";

const TITLE = "Latency by percentile";
const TICKS = ["0", "50", "90", "99", "99.9", "99.99", "99.999", "99.9999"];
/** The gap on the axis between the last percentile and the maximum, in nines. */
const MAX_GAP = 0.3;
/** A curve that rises by a larger factor gets a logarithmic axis. */
const LINEAR_UP_TO = 25;

export interface NamedCurve extends PercentileCurve {
  readonly name: "response" | "service";
}

/** The latencies of a result that have a curve. */
export function percentileCurves(result: RunResult): readonly NamedCurve[] {
  if (result.counts.orchestrations.started <= 1) return [];
  return (["response", "service"] as const).flatMap((name) => {
    const curve = percentileCurve(result, name);
    return curve ? [{ name, ...curve }] : [];
  });
}

/**
 * Response and service time, each with its maximum; undefined for a run of one orchestration, which has no
 * distribution.
 */
export function percentileChart(result: RunResult, curves: readonly NamedCurve[]): Chart | undefined {
  if (result.counts.orchestrations.started <= 1) return undefined;
  const [widest] = [...curves].sort((a, b) => b.limit - a.limit);
  if (!widest) return { title: TITLE, text: "", absent: whyNone(result) };
  const end = percentilePosition(widest.limit);
  const maxAt = end + MAX_GAP;
  const steps = percentileSteps(widest.limit);
  const ticks = TICKS.map((text) => ({ at: percentilePosition(Number(text) / 100), text })).filter(
    ({ at }) => at <= end + 1e-9,
  );
  const panel: Panel = {
    id: "percentiles",
    height: "tall",
    x: { kind: "percentile", from: 0, to: maxAt + 0.1, ticks: [...ticks, { at: maxAt, text: "max" }] },
    y: { unit: "milliseconds", logarithmic: curves.some(isSteep) },
    // The empty step prevents a line to the maximum, which is no percentile.
    xs: [...steps.map(percentilePosition), end + MAX_GAP / 2, maxAt],
    lines: curves.map((curve) => lineOf(curve, steps)),
    bands: [],
    borders: [],
  };
  const axis = panel.y.logarithmic ? "latency, logarithmic" : "latency";
  return { title: TITLE, text: textOf(result, curves), panels: [{ title: `${axis}, by percentile`, panel }] };
}

function whyNone({ histograms, latencyMs }: RunResult): string {
  const { response, service } = latencyMs;
  if (!response && !service) return "Nothing completed, so there is no latency to chart.";
  return histograms
    ? "Too few completed, or too many did not, for even a median: there is nothing to chart."
    : "This result has no histograms, so there is no distribution to chart: an older fanout wrote it.";
}

function isSteep({ at, summary }: NamedCurve): boolean {
  return summary.max > LINEAR_UP_TO * at(0.5)!;
}

function lineOf({ name, at, summary }: NamedCurve, steps: readonly number[]): Line {
  const values = steps.map((q) => at(q) ?? null);
  const stroke = name === "response" ? "solid" : "dashed";
  return { name, stroke, values: [...values, null, summary.max], dots: [values.length + 1] };
}

function textOf({ counts }: RunResult, curves: readonly NamedCurve[]): string {
  const { unknown } = measuredStartsOf(counts, curves[0]!.name);
  const ended = curves.map(({ name, at, summary }) => {
    const meaning = name === "response" ? "from when it was due" : "from its acceptance";
    return `Half completed within ${formatDuration(at(0.5)!)} ${meaning} (${name}${errorText(summary)}).`;
  });
  const limit =
    unknown === 0
      ? "A percentile is shown where ten samples lie beyond it."
      : `A percentile is shown where ten samples lie beyond it, and the ${plural(unknown, "orchestration")} whose time is not known could not change it; the maximum is of those whose time is.`;
  return [...ended, limit].join(" ");
}

/** The end of a latency, as part of a sentence, and the possible error of the two clocks. */
export function errorText({ until, boundMs }: PercentileCurve["summary"]): string {
  if (until === "noticed") return ", until noticed by the client";
  return boundMs === undefined ? "" : `, ± ${formatDuration(boundMs)} between the two clocks`;
}
