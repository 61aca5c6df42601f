import type { Line, Panel, Stroke, Unit } from "./panel.js";

/** The charts of a run in progress, still without data: the same ones in the same order as in its report. */
export const LIVE_PANELS = {
  rates: panelOf("rates", "tall", "perSecond", [
    lineOf("offered", "broad"),
    lineOf("completed", "solid"),
    lineOf("started", "dashed"),
  ]),
  activities: panelOf("activities", "low", "perSecond", [lineOf("activities", "solid")]),
  inFlight: panelOf("in-flight", "low", "count", [lineOf("in flight", "dashed")]),
  latency: panelOf("latency", "tall", "milliseconds", [
    lineOf("max", "dotted"),
    lineOf("p99", "dashed"),
    lineOf("p50", "solid"),
  ]),
} as const;

/** The figures of a run in progress, by the id of their element. */
export const LIVE_TILES = {
  started: "started",
  completed: "completed",
  flying: "in flight",
  rate: "activities per second",
  median: "latency, p50",
  tail: "latency, p99",
} as const;

function panelOf(id: string, height: Panel["height"], unit: Unit, lines: readonly Line[]): Panel {
  return {
    id,
    height,
    x: { kind: "time", from: 0, to: 10 },
    y: { unit, logarithmic: false },
    xs: [],
    lines,
    bands: [],
    borders: [],
  };
}

function lineOf(name: string, stroke: Stroke): Line {
  return { name, stroke, values: [] };
}
