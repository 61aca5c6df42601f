import uPlot from "uplot";
import { formatCount, threeDigits } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import type { LiveUpdate } from "../live/live-update.js";
import { plotOf, tellValues, type Gutter, type Tools } from "../report/html/browser-charts.js";
import { drawBandNames, drawBands, drawBorders } from "../report/html/browser-marks.js";
import { LIVE_PANELS } from "../report/html/live-panels.js";
import { HEIGHTS_PX, NAME_ROW_PX, STROKES, type Panel } from "../report/html/panel.js";
import type { Moment } from "./course.js";
import { byId } from "./elements.js";

const TOOLS: Tools = {
  Plot: uPlot,
  strokes: STROKES,
  heightsPx: HEIGHTS_PX,
  nameRowPx: NAME_ROW_PX,
  drawBands,
  drawBorders,
  drawBandNames,
  formatCount,
  formatDuration,
  threeDigits,
  isLive: true,
};
const LEAST_SECONDS = 10;

/** The charts of a run in progress, on one time axis. */
export class Charts {
  readonly #panels: Record<keyof typeof LIVE_PANELS, Panel> = {
    rates: { ...LIVE_PANELS.rates },
    activities: { ...LIVE_PANELS.activities },
    inFlight: { ...LIVE_PANELS.inFlight },
    latency: { ...LIVE_PANELS.latency },
  };
  #plots: { readonly panel: Panel; readonly plot: uPlot }[] = [];
  #hasMarks = false;

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#build());
    addEventListener("resize", () => this.#build());
    this.#build();
  }

  show(update: LiveUpdate, moments: readonly Moment[]): void {
    const { rates, activities, inFlight, latency } = this.#panels;
    const hasSchedule = update.run.load === "open";
    this.#put(update, moments, rates, {
      offered: hasSchedule ? moments.map((moment) => moment.offered) : [],
      completed: moments.map((moment) => moment.completed),
      started: moments.map((moment) => moment.started),
    });
    this.#put(update, moments, activities, { activities: moments.map((moment) => moment.activities) });
    this.#put(update, moments, inFlight, { "in flight": moments.map((moment) => moment.inFlight) });
    this.#put(update, moments, latency, {
      max: moments.map(({ max }) => max),
      p99: moments.map(({ p99 }) => p99),
      p50: moments.map(({ p50 }) => p50),
    });
    byId("rates-legend").querySelector("li")?.toggleAttribute("hidden", !hasSchedule);
    // Names above the plots need room, which a plot gets when it is made.
    const hasMarks = update.stalls.length > 0;
    if (hasMarks === this.#hasMarks) return this.#draw();
    this.#hasMarks = hasMarks;
    this.#build();
  }

  #put(
    { snapshot, stalls, run }: LiveUpdate,
    moments: readonly Moment[],
    panel: Panel,
    values: Readonly<Record<string, readonly (number | null)[]>>,
  ): void {
    const next: Pick<Panel, "x" | "xs" | "lines" | "bands" | "borders"> = {
      x: { kind: "time", from: 0, to: Math.max(LEAST_SECONDS, snapshot.elapsedMs / 1_000) },
      xs: moments.map(({ middle }) => middle),
      lines: panel.lines.map((line) => ({ ...line, values: values[line.name] ?? [] })),
      bands: stalls.map(({ fromMs, lengthMs }, index) => ({
        from: fromMs / 1_000,
        to: (fromMs + lengthMs) / 1_000,
        text: `stall ${index + 1}: ${formatDuration(lengthMs)}`,
        short: `${index + 1}`,
      })),
      borders:
        run.warmupMs > 0
          ? [
              { at: 0, text: "warm-up" },
              { at: run.warmupMs / 1_000, text: "measured" },
            ]
          : [],
    };
    Object.assign(panel, next);
  }

  #draw(): void {
    for (const { panel, plot } of this.#plots) {
      plot.setData([panel.xs, ...panel.lines.map(({ values }) => values)] as uPlot.AlignedData);
      tellValues(plot, panel, TOOLS);
    }
    // The widest labels are known when all are laid out: a moment is at the same place in each plot.
    queueMicrotask(() => {
      for (const { plot } of this.#plots) plot.redraw(false, true);
    });
  }

  #build(): void {
    for (const { plot } of this.#plots) plot.destroy();
    const gutter: Gutter = { px: 0 };
    this.#plots = Object.values(this.#panels).map((panel) => {
      return { panel, plot: plotOf(panel, byId(panel.id), false, gutter, TOOLS) };
    });
    this.#draw();
  }
}
