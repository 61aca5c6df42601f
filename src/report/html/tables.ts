import { formatCount, plural } from "../../format/count.js";
import { formatDuration } from "../../format/duration.js";
import { formatRate } from "../../format/rate.js";
import type { LatencySummary, Listed, RunResult } from "../../result/run-result.js";
import { rpcErrorsOf, rpcErrorsText } from "../fact-rows.js";
import { latencyTable } from "../latency-rows.js";
import { orchestrationTable } from "../orchestration-rows.js";
import { shardTable } from "../shard-rows.js";
import { markup, type Markup } from "./markup.js";
import type { NamedCurve } from "./percentile-chart.js";
import { numbersBy, dataTable, tableSection, withoutEmpty, type Column } from "./table.js";
import { coarseSlices, latencyOverTime } from "./time-slices.js";

const MOST_SLICES = 30;
const PERCENTILES = ["50", "75", "90", "95", "99", "99.9", "99.99", "99.999"];

type Table = Markup | undefined;

export function latencySection(result: RunResult): Table {
  const { columns, rows, note } = latencyTable(result);
  const head: readonly Column[] = [...numbersBy("latency", ...columns), { name: "", kind: "text" }];
  return tableSection(
    "Latencies",
    head,
    rows.map(({ name, cells, meaning }) => [name, ...cells, meaning]),
    note,
  );
}

/** The chart of percentiles in numbers. */
export function percentileSection(curves: readonly NamedCurve[]): Table {
  const rows = PERCENTILES.map((text) => [
    `p${text}`,
    ...curves.map(({ at }) => duration(at(Number(text) / 100))),
  ]).filter(([, ...cells]) => cells.some((cell) => cell !== undefined));
  const most = ["max", ...curves.map(({ summary }) => formatDuration(summary.max))];
  return curves.length === 0
    ? undefined
    : tableSection("Latency by percentile, in numbers", numbersBy("percentile", ...curves.map(({ name }) => name)), [
        ...rows,
        most,
      ]);
}

export function phaseSection({ phases = [] }: RunResult): Table {
  const names = ["from", "length", "offered", "started", "completed", "completed/s"];
  const latencies = ["response p50", "response p99", "service p50", "service p99"];
  const rows = phases.map((phase) => [
    phase.name,
    fromText(phase.fromMs),
    formatDuration(phase.lengthMs),
    rate(phase.offeredPerSecond),
    formatCount(phase.started),
    formatCount(phase.completed),
    formatRate(phase.completedPerSecond),
    ...percentilesOf(phase.response),
    ...percentilesOf(phase.service),
  ]);
  return tableSection("Phases", ...withoutEmpty(numbersBy("phase", ...names, ...latencies), rows));
}

function percentilesOf(summary: LatencySummary | undefined): readonly (string | undefined)[] {
  return [duration(summary?.p50), duration(summary?.p99)];
}

export function orchestrationSection(result: RunResult): Table {
  const { columns, rows } = orchestrationTable(result);
  return tableSection(
    "Orchestrations",
    numbersBy("orchestration", ...columns),
    rows.map(({ name, cells }) => [name, ...cells]),
  );
}

export function shardSection(result: RunResult): Table {
  const { columns, rows } = shardTable(result);
  return tableSection(
    "Generators",
    numbersBy("shard", ...columns),
    rows.map(({ name, cells }) => [name, ...cells]),
  );
}

export function outageSection({ outages = [] }: RunResult): Table {
  const columns = [...numbersBy("outage", "from", "length"), { name: "found", kind: "text" }] as const;
  const rows = outages.map(({ fromMs, lengthMs, open, found }, index) => [
    `${index + 1}`,
    fromText(fromMs),
    `${formatDuration(lengthMs)}${open ? ", not over at the end" : ""}`,
    found,
  ]);
  return tableSection("Outages", columns, rows, "The backend answered no call of the generator.");
}

export function stallSection({ stalls = [] }: RunResult): Table {
  const columns = [
    ...numbersBy("stall", "from", "length", "in flight", "offered"),
    { name: "RPC errors", kind: "text" },
  ] as const;
  const rows = stalls.map((stall, index) => [
    `${index + 1}`,
    fromText(stall.fromMs),
    `${formatDuration(stall.lengthMs)}${stall.open ? ", not over at the end" : ""}`,
    formatCount(stall.inFlight),
    formatRate(stall.offeredPerSecond),
    rpcErrorsText(stall.rpcErrors) || "none",
  ]);
  return tableSection(
    "Stalls",
    columns,
    rows,
    "Work was in flight, and nothing completed for longer than the run's own rhythm explains.",
  );
}

/** The charts over time in numbers, with few enough rows to read. */
export function timeSection(result: RunResult): Table {
  if (result.counts.orchestrations.started <= 1) return undefined;
  const name = latencyOverTime(result);
  const rows = coarseSlices(result, MOST_SLICES).map((slice) => [
    fromText(slice.fromMs),
    formatDuration(slice.lengthMs),
    formatRate(slice.offeredPerSecond),
    formatRate(slice.startedPerSecond),
    formatRate(slice.completedPerSecond),
    rate(slice.activitiesPerSecond),
    formatCount(slice.inFlight),
    duration(slice.latency?.p50),
    duration(slice.latency?.p99),
    duration(slice.latency?.max),
  ]);
  const rates = ["offered", "started", "completed", "activities", "in flight"];
  const latencies = ["p50", "p99", "max"].map((figure) => `${name} ${figure}`);
  const columns = numbersBy("from", "length", ...rates, ...latencies).map((column) => ({
    ...column,
    kind: "number" as const,
  }));
  if (rows.length === 0) return undefined;
  return markup`<details class="numbers"><summary><h2>Over time, in numbers</h2></summary>
${dataTable("over time", ...withoutEmpty(columns, rows))}</details>
`;
}

export function failureSection({ failures }: RunResult): Table {
  const rows = failures?.first.map(({ instanceId, type, message }) => [instanceId, type, message]) ?? [];
  const title = `${plural(failures?.total ?? 0, "orchestration")} failed`;
  return tableSection(title, textColumns("instance", "type", "message"), rows, restText(failures));
}

export function stuckSection({ stuck, plan }: RunResult): Table {
  const rows = stuck?.first.map(({ instanceId, status, iterationsCompleted }) => {
    const done = iterationsCompleted ?? (status === "Pending" ? 0 : undefined);
    const of = plan.iterations === undefined ? "" : ` of ${formatCount(plan.iterations)}`;
    return [instanceId, status, done === undefined ? undefined : `${formatCount(done)}${of}`];
  });
  const columns = [...textColumns("instance", "status"), { name: "iterations done", kind: "number" } as const];
  return tableSection(`${plural(stuck?.total ?? 0, "orchestration")} unfinished`, columns, rows ?? [], restText(stuck));
}

function restText(list: Listed<unknown> | undefined): string | undefined {
  if (!list || list.total <= list.first.length) return undefined;
  return `The first ${formatCount(list.first.length)} of ${formatCount(list.total)}.`;
}

export function rpcErrorSection(result: RunResult): Table {
  return countSection(
    "RPC errors",
    "error",
    rpcErrorsOf(result),
    "Failed attempts, those that a retry mended included.",
  );
}

export function noticingSection({ noticing = {} }: RunResult): Table {
  return countSection("Calls made to notice completions", "call", noticing);
}

function countSection(title: string, name: string, counts: Readonly<Record<string, number>>, note?: string): Table {
  const rows = Object.entries(counts).filter(([, count]) => count > 0);
  return tableSection(
    title,
    numbersBy(name, "count"),
    rows.map(([name, count]) => [name, formatCount(count)]),
    note,
  );
}

function textColumns(...names: readonly string[]): readonly Column[] {
  return names.map((name) => ({ name, kind: "text" }));
}

function fromText(ms: number): string {
  return ms === 0 ? "0" : formatDuration(ms);
}

function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms);
}

function rate(perSecond: number | undefined): string | undefined {
  return perSecond === undefined ? undefined : formatRate(perSecond);
}
