import type { ChalkInstance } from "chalk";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { LatencySummary, Listed, RunResult } from "../stats/run-result.js";

const LISTED_STUCK = 10;
const LATENCIES = [
  ["response", "intended start until completed"],
  ["service", "accepted until completed"],
  ["server", "created until completed, by the backend's clock"],
  ["startRpc", "start sent until accepted"],
  ["slip", "intended start until sent"],
] as const;
const COLUMNS = ["mean", "p50", "p90", "p99", "p999", "max"] as const;

/** The summary of a run for a person, without a final newline. */
export function summaryText(result: RunResult, colours: ChalkInstance): string {
  const sections = [
    [headline(result, colours), ...facts(result, colours)],
    latencyTable(result, colours),
    failureList(result.failures, colours),
    stuckList(result, colours),
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

function headline(result: RunResult, colours: ChalkInstance): string {
  const { started, completed } = result.counts.orchestrations;
  const total = result.plan.parallelOrchestrations;
  const took = `in ${formatDuration(result.durationMs)}`;
  if (completed === total) return `${colours.green("Completed")} ${plural(completed, "orchestration")} ${took}`;
  const word = result.interrupted ? colours.yellow("Interrupted") : colours.red("Incomplete");
  const unsent = started < total ? `, ${formatCount(total - started)} never started` : "";
  return `${word}: ${formatCount(completed)} of ${plural(total, "orchestration")} completed ${took}${unsent}`;
}

function facts(result: RunResult, colours: ChalkInstance): readonly string[] {
  const { counts, throughput, environment } = result;
  const { failed, terminated, unfinished } = counts.orchestrations;
  const ended = Object.entries({ failed, terminated, unfinished }).filter(([, count]) => count > 0);
  const retried = Object.entries(counts.rpcErrors).filter(([, count]) => count > 0);
  const rows: [string, string | undefined][] = [
    ["not completed", ended.map(([word, count]) => `${formatCount(count)} ${word}`).join(", ") || undefined],
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

/** Latencies say something about a run of many; columns that no row has are left out. */
function latencyTable(result: RunResult, colours: ChalkInstance): readonly string[] {
  if (result.plan.parallelOrchestrations === 1) return [];
  const rows = LATENCIES.flatMap(([name, meaning]) => {
    const summary = result.latencyMs[name];
    return summary ? [{ name, meaning, summary }] : [];
  });
  const columns = COLUMNS.filter((column) => rows.some(({ summary }) => summary[column] !== undefined));
  if (rows.length === 0) return [];
  const header = `  ${"latency".padEnd(14)}${columns.map((column) => column.padStart(10)).join("")}`;
  return [colours.dim(header), ...rows.map((row) => latencyRow(row, columns, colours))];
}

function latencyRow(
  { name, meaning, summary }: { readonly name: string; readonly meaning: string; readonly summary: LatencySummary },
  columns: readonly (typeof COLUMNS)[number][],
  colours: ChalkInstance,
): string {
  const cells = columns.map((column) => {
    const ms = summary[column];
    return (ms === undefined ? "" : formatDuration(ms)).padStart(10);
  });
  return `  ${name.padEnd(14)}${cells.join("")}  ${colours.dim(meaning)}`;
}

function failureList(failures: RunResult["failures"], colours: ChalkInstance): readonly string[] {
  if (!failures) return [];
  const lines = failures.first.map(({ instanceId, type, message }) => `  ${instanceId}  ${type}: ${message}`);
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
