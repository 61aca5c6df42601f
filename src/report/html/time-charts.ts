import { formatCount, plural } from "../../format/count.js";
import { formatDuration } from "../../format/duration.js";
import { formatRate } from "../../format/rate.js";
import type { RunResult } from "../../result/run-result.js";
import type { Chart, TitledPanel } from "./chart.js";
import type { Line, Panel, Stroke, Unit } from "./panel.js";
import { latencyOverTime, timeSlices, type TimeSlice } from "./time-slices.js";

/** If the largest value exceeds the typical one by this factor, the typical one would lie on the axis. */
const LINEAR_UP_TO = 25;
const LATENCY_NAMES = { response: "Response time", service: "Service time" } as const;

/** The run over time: its rates, its load, and its latencies. */
export function timeCharts(result: RunResult): readonly Chart[] {
  const slices = timeSlices(result);
  const absent = whyNone(result, slices);
  if (absent !== undefined) return [{ title: "Over time", text: "", absent }];
  return [rateChart(result, slices), loadChart(result, slices), latencyChart(result, slices)];
}

function whyNone({ series, counts }: RunResult, slices: readonly TimeSlice[]): string | undefined {
  if (counts.orchestrations.started <= 1)
    return "A run of one orchestration is a single point: there is nothing to chart.";
  if (!series) return "This result has no series, so there is nothing to chart over time: an older fanout wrote it.";
  if (slices.length < 2)
    return "The run was over within one interval of its series, so there is nothing to chart over time.";
  return undefined;
}

function rateChart(result: RunResult, slices: readonly TimeSlice[]): Chart {
  const kind = result.plan.load?.kind ?? "once";
  const offered = lineOf("offered", "broad", slices, (slice) => slice.offeredPerSecond);
  const started = lineOf("started", "dashed", slices, (slice) => slice.startedPerSecond);
  const completed = lineOf("completed", "solid", slices, (slice) => slice.completedPerSecond);
  // Where all three are the same, the gaps of the dashed line show the solid one, and the broad one is around both.
  const lines = { once: [completed], closed: [completed, started], open: [offered, completed, started] }[kind];
  const sentences = [
    kind === "once" && "All were due at once, at 0.",
    kind === "closed" && "In closed load the next starts when one has ended, so starts follow completions.",
    kind === "open" && `Offered is what the schedule called for: at most ${formatRate(mostOf(offered))}.`,
    `Completed: at most ${formatRate(mostOf(completed))}.`,
    stallSentence(result),
  ];
  return {
    title: kind === "open" ? "Offered, started and completed" : "Throughput",
    text: joined(sentences),
    panels: [
      panelOf(result, { id: "rates", title: "orchestrations/s", unit: "perSecond", lines, xs: middles(slices) }),
    ],
  };
}

function stallSentence({ stalls = [] }: RunResult): string {
  const [first, ...more] = stalls;
  if (!first) return "";
  const found = `nothing completed for ${formatDuration(first.lengthMs)} from ${formatDuration(first.fromMs)}`;
  const counted = more.length === 0 ? "Marked: one stall" : `Marked: ${plural(stalls.length, "stall")}, the first`;
  return `${counted}, ${found}, with ${formatCount(first.inFlight)} in flight.`;
}

function loadChart(result: RunResult, slices: readonly TimeSlice[]): Chart {
  const activities = lineOf("activities", "solid", slices, (slice) => slice.activitiesPerSecond);
  const inFlight = lineOf("in flight", "dashed", slices, (slice) => slice.inFlight);
  const known = activities.values.some((value) => value !== null);
  const source = {
    emulator: "counted by the emulator as it commits",
    completions: "credited when their orchestration completes",
  };
  const counted = result.counts.activities?.source;
  const rates = {
    id: "activities",
    title: "activities/s",
    unit: "perSecond",
    lines: [activities],
    xs: middles(slices),
  } as const;
  const flying = {
    id: "in-flight",
    title: "orchestrations in flight",
    unit: "count",
    lines: [inFlight],
    xs: ends(slices),
  } as const;
  const sentences = [
    known && `Activities, ${counted ? `${source[counted]}: ` : ""}at most ${formatRate(mostOf(activities))}.`,
    `In flight at the end of an interval: at most ${formatCount(mostOf(inFlight))}.`,
  ];
  return {
    title: known ? "Activities and orchestrations in flight" : "Orchestrations in flight",
    text: joined(sentences),
    panels: [...(known ? [panelOf(result, rates)] : []), panelOf(result, flying)],
  };
}

function latencyChart(result: RunResult, slices: readonly TimeSlice[]): Chart {
  const name = latencyOverTime(result);
  const title = `${LATENCY_NAMES[name]} over time`;
  const latencies = slices.flatMap(({ fromMs, latency }) => (latency ? [{ fromMs, ...latency }] : []));
  const [first] = latencies;
  if (!first) {
    return {
      title,
      text: "",
      absent: "Nothing that was due in an interval completed, so there is no latency to chart.",
    };
  }
  const lines = [
    lineOf("max", "dotted", slices, ({ latency }) => latency?.max),
    lineOf("p99", "dashed", slices, ({ latency }) => latency?.p99),
    lineOf("p50", "solid", slices, ({ latency }) => latency?.p50),
  ].filter(({ values }) => values.some((value) => value !== null));
  const worst = latencies.reduce((worst, latency) => (latency.max > worst.max ? latency : worst), first);
  const typical = latencies.map(({ p50, max }) => p50 ?? max).sort((a, b) => a - b)[Math.floor(latencies.length / 2)]!;
  const logarithmic = worst.max > LINEAR_UP_TO * typical && typical > 0;
  const sentences = [
    "Each start counts in the interval in which it was due.",
    `The longest took ${formatDuration(worst.max)}, due in the interval from ${formatDuration(worst.fromMs)}.`,
    lines.length < 3 && "A percentile is left out of an interval that has too few samples to carry it.",
  ];
  const axis = logarithmic ? `${name} time, logarithmic` : `${name} time`;
  const panel = { id: "latency", title: axis, unit: "milliseconds", lines, xs: middles(slices), logarithmic } as const;
  return { title, text: joined(sentences), panels: [panelOf(result, panel)] };
}

interface PanelParts extends Pick<Panel, "id" | "lines" | "xs"> {
  readonly title: string;
  readonly unit: Unit;
  readonly logarithmic?: boolean;
}

function panelOf(result: RunResult, { title, unit, logarithmic = false, ...rest }: PanelParts): TitledPanel {
  const { stalls = [], phases = [], durationMs } = result;
  const panel: Panel = {
    ...rest,
    height: rest.id === "activities" || rest.id === "in-flight" ? "low" : "tall",
    x: { kind: "time", from: 0, to: durationMs / 1_000 },
    y: { unit, logarithmic },
    bands: stalls.map(({ fromMs, lengthMs }, index) => ({
      from: fromMs / 1_000,
      to: (fromMs + lengthMs) / 1_000,
      text: `stall ${index + 1}: ${formatDuration(lengthMs)}`,
      short: `${index + 1}`,
    })),
    borders: phases.map(({ fromMs, name }) => ({ at: fromMs / 1_000, text: name })),
  };
  return { title, panel };
}

function lineOf(
  name: string,
  stroke: Stroke,
  slices: readonly TimeSlice[],
  valueOf: (slice: TimeSlice) => number | undefined,
): Line {
  return { name, stroke, values: slices.map((slice) => roundedOf(valueOf(slice))) };
}

/** Five digits. More would only be bytes. */
function roundedOf(value: number | undefined): number | null {
  return value === undefined ? null : Number(value.toPrecision(5));
}

function mostOf({ values }: Line): number {
  return values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
}

function middles(slices: readonly TimeSlice[]): readonly number[] {
  return slices.map(({ fromMs, lengthMs }) => (fromMs + lengthMs / 2) / 1_000);
}

function ends(slices: readonly TimeSlice[]): readonly number[] {
  return slices.map(({ fromMs, lengthMs }) => (fromMs + lengthMs) / 1_000);
}

function joined(sentences: readonly (string | false)[]): string {
  return sentences.filter((sentence) => sentence !== false && sentence !== "").join(" ");
}
