import type uPlot from "uplot";
import type { drawBandNames, drawBands, drawBorders } from "./browser-marks.js";
import type { HEIGHTS_PX, Line, NAME_ROW_PX, Panel, STROKES, Unit } from "./panel.js";

/*
 * Runs in the reader's browser. The page holds the source of these functions (script.ts), so that they know each other,
 * what a browser has, and what they are given: an import of a value would not be there.
 */

/**
 * The part of the browser's API that they use. TypeScript's DOM library would be in scope of the whole program, not of
 * one file.
 */
interface PageElement {
  readonly clientWidth: number;
  readonly classList: { toggle(name: string, on: boolean): void };
  textContent: string | null;
  append(child: unknown): void;
  querySelectorAll(selectors: string): Iterable<PageElement>;
}
declare const document: PageElement & {
  readonly documentElement: PageElement;
  getElementById(id: string): PageElement | null;
};
declare function getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };
declare function matchMedia(query: string): {
  readonly matches: boolean;
  addEventListener(event: "change", listener: () => void): void;
};
declare function addEventListener(event: "beforeprint" | "afterprint" | "resize", listener: () => void): void;

/** What the page provides: the chart library, and our functions of other files. */
export interface Tools {
  readonly Plot: typeof uPlot;
  readonly strokes: typeof STROKES;
  readonly heightsPx: typeof HEIGHTS_PX;
  readonly nameRowPx: typeof NAME_ROW_PX;
  readonly drawBands: typeof drawBands;
  readonly drawBorders: typeof drawBorders;
  readonly drawBandNames: typeof drawBandNames;
  readonly formatCount: (count: number) => string;
  readonly formatDuration: (ms: number) => string;
  readonly threeDigits: (value: number) => string;
  /** The run is in progress: without a cursor, the legend has the latest values. There is no zoom, as the charts move on. */
  readonly isLive: boolean;
}

/** The room for labels on the left, the same for all panels, so that a moment is at the same place in each. */
export interface Gutter {
  px: number;
}

/** Draws the panels, and draws them again when the colours, the width or the paper change. */
export function drawPanels(panels: readonly Panel[], tools: Tools): void {
  const paper = matchMedia("print");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let plots: readonly uPlot[] = [];
  const draw = (onPaper: boolean) => {
    for (const plot of plots) plot.destroy();
    document.documentElement.classList.toggle("paper", onPaper);
    const gutter: Gutter = { px: 0 };
    plots = panels.flatMap((panel) => {
      const place = document.getElementById(panel.id);
      return place ? [plotOf(panel, place, onPaper, gutter, tools)] : [];
    });
    // The library lays a plot out in a microtask. After those of all plots, the widest labels are known.
    queueMicrotask(() => {
      for (const plot of plots) plot.redraw(false, true);
    });
  };
  draw(paper.matches);
  // Browsers differ in which of the first three events they send when they print.
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw(false));
  paper.addEventListener("change", () => draw(paper.matches));
  dark.addEventListener("change", () => draw(paper.matches));
  addEventListener("resize", () => draw(paper.matches));
}

export function plotOf(panel: Panel, place: PageElement, onPaper: boolean, gutter: Gutter, tools: Tools): uPlot {
  // A4 is 703 px wide between the margins of the page's style.
  const width = onPaper ? 680 : place.clientWidth;
  const options: uPlot.Options = {
    width,
    height: tools.heightsPx[panel.height],
    padding: [8 + tools.nameRowPx * [panel.bands, panel.borders].filter((named) => named.length > 0).length, 26, 0, 0],
    series: [{}, ...panel.lines.map((line) => seriesOf(line, tools))],
    scales: scalesOf(panel),
    axes: axesOf(panel, gutter, tools),
    legend: { show: false },
    cursor: cursorOf(panel, tools),
    hooks: {
      drawClear: [(plot) => tools.drawBands(plot, panel, colourOf)],
      draw: [
        (plot) => tools.drawBorders(plot, panel, tools.nameRowPx, colourOf),
        (plot) => tools.drawBandNames(plot, panel, tools.nameRowPx, colourOf),
      ],
      setCursor: [(plot) => tellValues(plot, panel, tools)],
    },
  };
  const data = [panel.xs, ...panel.lines.map(({ values }) => values)] as uPlot.AlignedData;
  const plot = new tools.Plot(options, data);
  place.append(plot.root);
  return plot;
}

function seriesOf({ stroke, dots = [] }: Line, { strokes }: Tools): uPlot.Series {
  const { width, dash } = strokes[stroke];
  const colour = colourOf(strokes[stroke].colour);
  return {
    stroke: colour,
    width,
    dash: [...dash],
    cap: "butt",
    points: { show: dots.length > 0, filter: () => [...dots], size: 9, stroke: colour, fill: colour },
  };
}

/** The ranges are those of the panel when it is drawn: a live one changes. */
function scalesOf(panel: Panel): uPlot.Scales {
  const { y } = panel;
  const extremes = () => {
    const values = panel.lines.flatMap((line) =>
      line.values.filter((value) => value !== null && value > 0),
    ) as number[];
    const most = values.reduce((max, value) => Math.max(max, value), 0);
    return { most, least: values.reduce((min, value) => Math.min(min, value), most) };
  };
  const whole = (): [number, number] => [panel.x.from, panel.x.to];
  const isWhole = (from: number, to: number) =>
    panel.xs.length === 0 || (from === panel.xs[0] && to === panel.xs.at(-1));
  const linear = (): [number, number] => {
    const { most } = extremes();
    return [0, most > 0 ? most * 1.15 : 1];
  };
  const powers = (): [number, number] => {
    const { least, most } = extremes();
    return [least / 1.25, most * 1.6];
  };
  // Its `distr` is a const enum, which a separately compiled module cannot read.
  const logarithmic: object = { distr: 3, log: 10, range: powers };
  return {
    x: { time: false, range: (_plot, from, to) => (isWhole(from, to) ? whole() : [from, to]) },
    y: y.logarithmic ? logarithmic : { range: linear },
  };
}

function axesOf({ x, y }: Panel, gutter: Gutter, tools: Tools): uPlot.Axis[] {
  const grid = { stroke: colourOf("--grid"), width: 1 };
  const common = {
    stroke: colourOf("--muted"),
    font: "12px system-ui, sans-serif",
    gap: 5,
    grid,
    ticks: { ...grid, size: 4 },
  };
  const minutes = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 172_800];
  const timeAxis: uPlot.Axis = {
    incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, ...minutes],
    space: 72,
    values: (_plot, splits) => splits.map((seconds) => positionText(seconds, x, tools)),
  };
  const percentileAxis: uPlot.Axis = {
    space: 1,
    splits: x.kind === "percentile" ? x.ticks.map(({ at }) => at) : [],
    values: x.kind === "percentile" ? x.ticks.map(({ text }) => text) : [],
  };
  const numberAxis: uPlot.Axis = {
    incrs: Array.from({ length: 8 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat(),
    space: 72,
    values: (_plot, splits) => splits.map((number) => positionText(number, x, tools)),
  };
  const levelAxis: uPlot.Axis = {
    space: 72,
    values: (_plot, splits) => splits.map((level) => positionText(level, x, tools)),
  };
  const ownAxis = { time: timeAxis, percentile: percentileAxis, number: numberAxis, level: levelAxis }[x.kind];
  return [
    { ...common, ...ownAxis, size: 30 },
    {
      ...common,
      space: 34,
      ...(y.logarithmic && { splits: logarithmicSplits, filter: (_plot, splits) => splits }),
      values: (_plot, splits) => splits.map((value) => (value === null ? "" : valueText(value, y.unit, tools))),
      size: (_plot, texts) => {
        gutter.px = Math.max(gutter.px, ...(texts ?? []).map((text) => 14 + 7 * text.length));
        return gutter.px;
      },
    },
  ];
}

/** 1, 2 and 5 of each power of ten. Over more than three powers, only the powers. */
function logarithmicSplits(_plot: uPlot, _axis: number, from: number, to: number): number[] {
  const [first, last] = [Math.floor(Math.log10(from)), Math.ceil(Math.log10(to))];
  const steps = last - first > 4 ? [1] : [1, 2, 5];
  return Array.from({ length: last - first + 1 }, (_, index) => steps.map((step) => step * 10 ** (first + index)))
    .flat()
    .filter((value) => value >= from && value <= to);
}

/** Panels over time share their cursor: pointing at a time or selecting a range in one applies to all. */
function cursorOf({ x }: Panel, { isLive }: Tools): uPlot.Cursor {
  const common = { y: false, points: { size: 7, width: 0 } };
  return x.kind === "time"
    ? { ...common, sync: { key: "time", scales: ["x", null] }, drag: { x: !isLive, y: false, dist: 8 } }
    : { ...common, drag: { x: false, y: false } };
}

/** Writes the values at the cursor into the legend: the value of each line, and the position. */
export function tellValues(plot: uPlot, { id, x, xs, y, lines }: Panel, tools: Tools): void {
  const index = plot.cursor.idx ?? (tools.isLive ? xs.length - 1 : -1);
  const at = xs[index];
  const texts = [
    ...lines.map(({ values }) => {
      const value = values[index];
      return typeof value === "number" ? valueText(value, y.unit, tools) : "";
    }),
    at === undefined ? "" : positionText(at, x, tools),
  ];
  const outputs = document.getElementById(`${id}-legend`)?.querySelectorAll("output") ?? [];
  for (const [place, output] of [...outputs].entries()) output.textContent = texts[place] ?? "";
}

function positionText(at: number, x: Panel["x"], tools: Tools): string {
  if (x.kind === "time") return at === 0 ? "0" : tools.formatDuration(at * 1_000);
  if (x.kind === "number") return tools.formatCount(Math.round(at));
  if (x.kind === "level") return valueText(at, x.unit, tools);
  const last = x.ticks.at(-1);
  if (last?.at === at) return last.text;
  const beyond = 10 ** -at;
  return `p${(100 * (1 - beyond)).toFixed(Math.max(0, Math.ceil(at) - 1))}`;
}

function valueText(value: number, unit: Unit, { formatCount, formatDuration, threeDigits }: Tools): string {
  if (value === 0) return "0";
  if (unit === "milliseconds") return formatDuration(value);
  const text = value < 99.95 ? threeDigits(value) : formatCount(value);
  return unit === "perSecond" ? `${text}/s` : text;
}

function colourOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}

/** The functions of this file, for the page. */
export const CLIENT_FUNCTIONS = [
  drawPanels,
  plotOf,
  seriesOf,
  scalesOf,
  axesOf,
  logarithmicSplits,
  cursorOf,
  tellValues,
  positionText,
  valueText,
  colourOf,
];
