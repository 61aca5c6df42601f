import type { ChalkInstance } from "chalk";
import { formatCount, plural } from "../format/count.js";
import { formatRate } from "../format/rate.js";
import type { Listed, RunResult } from "../stats/run-result.js";
import { latencyTable } from "./latency-rows.js";
import { oneLine } from "./one-line.js";
import { notCompletedText, outcomeOf } from "./outcome.js";
import { thresholdList } from "./threshold-text.js";

const LISTED_STUCK = 10;
const COLOURS = { Completed: "green", Interrupted: "yellow", Incomplete: "red" } as const;

/** The summary of a run for a person, without a final newline. */
export function summaryText(result: RunResult, colours: ChalkInstance): string {
  const sections = [
    [headline(result, colours), ...facts(result, colours)],
    latencyLines(result, colours),
    thresholdList(result.thresholds, colours),
    failureList(result.failures, colours),
    stuckList(result, colours),
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

function headline(result: RunResult, colours: ChalkInstance): string {
  const { word, rest } = outcomeOf(result);
  return colours[COLOURS[word]](word) + rest;
}

function facts(result: RunResult, colours: ChalkInstance): readonly string[] {
  const { counts, throughput, environment } = result;
  const retried = Object.entries(counts.rpcErrors).filter(([, count]) => count > 0);
  const rows: [string, string | undefined][] = [
    ["not completed", notCompletedText(result) || undefined],
    [
      "activities",
      counts.activities && `${formatCount(counts.activities.completed)} of ${formatCount(counts.activities.needed)}`,
    ],
    ["actions", counts.actions === undefined ? undefined : formatCount(counts.actions)],
    ["throughput", throughput && throughputText(throughput)],
    ["RPC errors", retried.map(([status, count]) => `${formatCount(count)} ${status}`).join(", ") || undefined],
    ["backend", `${environment.backend.name}, task hub ${environment.taskHub}`],
    ["run id", result.runId],
  ];
  return rows.flatMap(([name, value]) => (value === undefined ? [] : [`  ${colours.dim(name.padEnd(14))}${value}`]));
}

function throughputText(throughput: NonNullable<RunResult["throughput"]>): string {
  const { orchestrationsPerSecond: orchestrations, activitiesPerSecond, actionsPerSecond } = throughput;
  const rates = { orchestrations, activities: activitiesPerSecond, actions: actionsPerSecond };
  return Object.entries(rates)
    .flatMap(([name, rate]) => (rate === undefined ? [] : [`${name} ${formatRate(rate)}`]))
    .join(", ");
}

function latencyLines(result: RunResult, colours: ChalkInstance): readonly string[] {
  const { columns, rows } = latencyTable(result);
  if (rows.length === 0) return [];
  return [
    colours.dim(latencyLine("latency", columns)),
    ...rows.map(({ name, cells, meaning }) => `${latencyLine(name, cells)}  ${colours.dim(meaning)}`),
  ];
}

function latencyLine(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(14)}${cells.map((cell) => cell.padStart(10)).join("")}`;
}

function failureList(failures: RunResult["failures"], colours: ChalkInstance): readonly string[] {
  if (!failures) return [];
  const lines = failures.first.map(
    ({ instanceId, type, message }) => `  ${instanceId}  ${oneLine(`${type}: ${message}`)}`,
  );
  return [
    colours.red(`${plural(failures.total, "orchestration")} failed`),
    ...lines,
    ...restOf(failures, lines.length),
  ];
}

function stuckList({ stuck, plan }: RunResult, colours: ChalkInstance): readonly string[] {
  if (!stuck) return [];
  const lines = stuck.first.slice(0, LISTED_STUCK).map(({ instanceId, status, iterationsCompleted }) => {
    const reached = iterationsCompleted ?? (status === "Pending" ? 0 : undefined);
    const progress =
      reached === undefined || plan.iterations === undefined
        ? ""
        : `, ${formatCount(reached)} of ${plural(plan.iterations, "iteration")} done`;
    return `  ${instanceId}  ${status}${progress}`;
  });
  return [
    colours.yellow(`${plural(stuck.total, "orchestration")} unfinished`),
    ...lines,
    ...restOf(stuck, lines.length),
  ];
}

function restOf(list: Listed<unknown>, shown: number): readonly string[] {
  return list.total > shown ? [`  and ${formatCount(list.total - shown)} more`] : [];
}
