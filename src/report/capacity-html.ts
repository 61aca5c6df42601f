import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { levelText } from "../result/capacity-level.js";
import type { CapacityLatency, CapacityProbe, CapacityResult } from "../result/capacity-schema.js";
import { figureOf } from "../result/figure.js";
import { parseThreshold } from "../stats/threshold.js";
import { factsOf, headlineOf } from "./capacity-text.js";
import { outcomeText } from "./capacity-view.js";
import { chartSection, type Chart, type TitledPanel } from "./html/chart.js";
import { markup, type Markup } from "./html/markup.js";
import { chartedPage } from "./html/charted-page.js";
import type { Line, Panel, Unit } from "./html/panel.js";
import { definitionList, numbersBy, tableSection, withoutEmpty, type Column } from "./html/table.js";
import { planLine } from "./plan-line.js";

/** If the largest latency exceeds the smallest one by this factor, the smaller ones would lie on the axis. */
const LINEAR_UP_TO = 25;
const TAILS = ["p999", "p99", "p95", "p90"] as const;

/** A search as one HTML file that needs no network: the answer, the charts by level, and the probes. */
export async function capacityHtml(result: CapacityResult): Promise<string> {
  const [word, rest] = headlineOf(result);
  const measured = result.probes.filter(({ purpose }) => purpose !== "calibrate").toSorted((a, b) => a.level - b.level);
  const charts = measured.length < 2 ? [] : [latencyChart(result, measured), throughputChart(result, measured)];
  const { load: _load, warmupMs: _warmup, parallelOrchestrations: _inFlight, ...work } = result.plan;
  const sections = [
    markup`<header>
<p class="brand">fanout capacity report</p>
<h1><span class="${result.ended === "found" ? "good" : "bad"}">${word}</span>${rest}</h1>
<p class="plan">${planLine({ ...work, load: { kind: "once" }, parallelOrchestrations: 1 })}</p>
<p class="facts">Search <code>${result.searchId}</code>, started <time datetime="${result.startedAt}">${result.startedAt}</time></p>
</header>
`,
    markup`<section><h2>The answer</h2>
${definitionList(factsOf(result).map(([name, text]) => [name || "latency at half", text]))}</section>
`,
    charts.map(chartSection),
    probeSection(result),
  ];
  return chartedPage(`fanout: ${word}${rest}`, markup`${sections}`, charts);
}

function latencyChart(result: CapacityResult, probes: readonly CapacityProbe[]): Chart {
  const name = result.load === "open" ? "Response time" : "Service time";
  const tail = TAILS.find((each) => probes.some(({ latencyMs }) => latencyMs?.[each] !== undefined)) ?? "max";
  const of = (each: keyof CapacityLatency) => probes.map(({ latencyMs }) => latencyMs?.[each] ?? null);
  const bounds = result.objectives.flatMap((expression) => {
    const { figure, bound } = parseThreshold(expression);
    return figure.kind === "duration" && figure !== figureOf("longest stall") ? [{ expression, bound }] : [];
  });
  const all: readonly Line[] = [
    { name: tail, stroke: "dashed", values: of(tail), dots: indexes(probes) },
    { name: "p50", stroke: "solid", values: of("p50"), dots: indexes(probes) },
    ...bounds.map(({ expression, bound }): Line => ({
      name: expression,
      stroke: "dotted",
      values: probes.map(() => bound),
    })),
  ];
  const lines = all.filter(({ values }) => values.some((value) => value !== null));
  const values = lines.flatMap((line) => line.values.filter((value) => value !== null));
  const logarithmic = Math.max(...values) > LINEAR_UP_TO * Math.min(...values);
  const unit = logarithmic ? `${name}, logarithmic` : name;
  return {
    title: `${name} by ${levelName(result)}`,
    text: `Each dot is a probe. ${intervalSentence(result)} The dotted line is the objective.`,
    panels: [panelOf(result, probes, { id: "latency", title: unit, unit: "milliseconds", lines, logarithmic })],
  };
}

function throughputChart(result: CapacityResult, probes: readonly CapacityProbe[]): Chart {
  const completed = probes.map(({ completedPerSecond }) => completedPerSecond ?? null);
  const lines: readonly Line[] = [
    ...(result.load === "open"
      ? [{ name: "offered", stroke: "broad", values: probes.map(({ level }) => level) } as const]
      : []),
    { name: "completed", stroke: "solid", values: completed, dots: indexes(probes) },
  ];
  const most = Math.max(...completed.map((value) => value ?? 0));
  return {
    title: `Throughput by ${levelName(result)}`,
    text: `Completed while starts were sent, after the warm-up: at most ${formatRate(most)}. ${intervalSentence(result)}`,
    panels: [
      panelOf(result, probes, {
        id: "throughput",
        title: "orchestrations/s",
        unit: "perSecond",
        lines,
        logarithmic: false,
      }),
    ],
  };
}

function levelName({ load }: CapacityResult): string {
  return load === "open" ? "offered rate" : "number in flight";
}

function intervalSentence({ held, missed, load }: CapacityResult): string {
  if (held === undefined || missed === undefined) return "";
  return `Marked: the interval from ${levelText(held, load)}, which holds, to ${levelText(missed, load)}, which does not.`;
}

interface PanelParts {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly lines: readonly Line[];
  readonly logarithmic: boolean;
}

function panelOf(
  { load, held, missed }: CapacityResult,
  probes: readonly CapacityProbe[],
  { id, title, unit, lines, logarithmic }: PanelParts,
): TitledPanel {
  const panel: Panel = {
    id,
    height: "tall",
    x: {
      kind: "level",
      from: 0,
      to: (probes.at(-1)?.level ?? 1) * 1.05,
      unit: load === "open" ? "perSecond" : "count",
    },
    y: { unit, logarithmic },
    xs: probes.map(({ level }) => level),
    lines,
    bands:
      held === undefined || missed === undefined
        ? []
        : [{ from: held, to: missed, text: `capacity ${levelText(held, load)}`, short: "capacity" }],
    borders: [],
  };
  return { title, panel };
}

function indexes(probes: readonly CapacityProbe[]): readonly number[] {
  return probes.map((_, index) => index);
}

function probeSection({ probes, load }: CapacityResult): Markup | undefined {
  const columns: readonly Column[] = [
    ...numbersBy("probe", "level", "started", "completed/s", "mean", "p50", "p90", "p99", "max"),
    { name: "purpose", kind: "text" },
    { name: "outcome", kind: "text" },
  ];
  const rows = probes.map((probe) => {
    const { number, purpose, level, started, completedPerSecond, latencyMs } = probe;
    const ms = (name: keyof CapacityLatency) =>
      latencyMs?.[name] === undefined ? undefined : formatDuration(latencyMs[name]);
    return [
      number.toString(),
      levelText(level, purpose === "calibrate" ? "closed" : load),
      formatCount(started),
      completedPerSecond === undefined ? undefined : formatRate(completedPerSecond),
      ms("mean"),
      ms("p50"),
      ms("p90"),
      ms("p99"),
      ms("max"),
      purpose,
      purpose === "calibrate" ? "" : outcomeText(probe),
    ];
  });
  return tableSection("Probes", ...withoutEmpty(columns, rows));
}
