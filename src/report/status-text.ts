import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { InstanceStatus } from "../hub/instance-status.js";
import type { RunOverview } from "../hub/latest-runs.js";
import type { RunStatus } from "../hub/run-status.js";
import { oneLine, toldText } from "../format/one-line.js";
import { flowing, hanging, textWidth } from "../format/wrap.js";
import type { TextStyle } from "./text-style.js";

const COLUMN_GAP = "  ";

/** A line for each instance: id, status, creation, duration, progress, and the reason of a failure. */
export function instanceLines(instances: readonly InstanceStatus[], nowMs: number, style: TextStyle): string {
  const rows = instances.map((instance) => [
    oneLine(instance.instanceId),
    instance.status,
    timeText(instance.createdAt),
    durationText(instance, nowMs),
    progressText(instance),
    instance.failure ? `${instance.failure.type}: ${instance.failure.message}` : "",
  ]);
  return table(rows, style, (cell, column) => (column === 5 ? style.colours.red(cell) : cell));
}

/** `took 5.80 s` on the backend's clock; `for 12 s` until now, on the client's clock. */
function durationText({ durationMs, createdAt }: InstanceStatus, nowMs: number): string {
  if (durationMs !== undefined) return `took ${formatDuration(durationMs)}`;
  return `for ${formatDuration(Math.max(0, nowMs - Date.parse(createdAt)))}`;
}

/** `3 of 10 iterations, 15 activities` */
function progressText({ progress }: Pick<InstanceStatus, "progress">): string {
  if (!progress) return "";
  const { iterationsCompleted, iterations, activitiesCompleted } = progress;
  return (
    `${formatCount(iterationsCompleted)} of ${plural(iterations, "iteration")}, ` +
    plural(activitiesCompleted, "activity")
  );
}

/** A run for a person, without a final newline. */
export function runText(run: RunStatus, style: TextStyle): string {
  const { throughput, activities } = run;
  const rows: [string, string | undefined][] = [
    ["started", timeText(run.createdAt)],
    ["instances", `${formatCount(run.instances)}: ${statusesText(run.byStatus)}`],
    [
      "activities",
      activities &&
        `${activities.atLeast ? "at least " : ""}${formatCount(activities.completed)} of ` +
          formatCount(activities.needed),
    ],
    ["duration", `${formatDuration(run.durationMs)}, first created until last updated, by the backend's clock`],
    ["throughput", throughput && throughputText(throughput)],
  ];
  const facts = rows.flatMap(([name, value]) =>
    value === undefined ? [] : hanging(`  ${name.padEnd(13)} `, value, style.columns),
  );
  return [`run ${run.runId}`, ...facts, ...failureLines(run, style)].join("\n");
}

function throughputText({ orchestrationsPerSecond, activitiesPerSecond }: NonNullable<RunStatus["throughput"]>) {
  const parts = [`orchestrations ${formatRate(orchestrationsPerSecond)}`];
  if (activitiesPerSecond !== undefined) parts.push(`activities ${formatRate(activitiesPerSecond)}`);
  return parts.join(", ");
}

function failureLines({ failures }: RunStatus, { colours, columns }: TextStyle): readonly string[] {
  if (!failures) return [];
  const lines = failures.first.flatMap(({ instanceId, type, message }) =>
    flowing([`  ${oneLine(instanceId)}`, toldText(`${type}: ${message}`)], COLUMN_GAP, columns),
  );
  const rest = failures.total - failures.first.length;
  return [
    "",
    colours.red(`${plural(failures.total, "instance")} failed`),
    ...lines,
    ...(rest > 0 ? [`  and ${formatCount(rest)} more`] : []),
  ];
}

/** A line for each run. */
export function runsText(runs: readonly RunOverview[], style: TextStyle): string {
  return table(
    runs.map((run) => [
      run.runId,
      timeText(run.createdAt),
      plural(run.instances, "instance"),
      statusesText(run.byStatus),
    ]),
    style,
  );
}

/** `990 Completed, 10 Running` */
export function statusesText(byStatus: RunStatus["byStatus"]): string {
  return Object.entries(byStatus)
    .map(([status, count]) => `${formatCount(count)} ${status}`)
    .join(", ");
}

/** `2026-11-24 23:09:20Z` */
function timeText(iso: string): string {
  return iso.replace("T", " ").replace(/\.\d+Z$/u, "Z");
}

function table(
  rows: readonly (readonly string[])[],
  { columns }: TextStyle,
  colour: (cell: string, column: number) => string = (cell) => cell,
): string {
  const clean = rows.map((row) => row.map(toldText));
  const widths = (clean[0] ?? []).map((_, column) => Math.max(...clean.map((row) => textWidth(row[column] ?? ""))));
  return clean
    .flatMap((row) => {
      const last = row.findLastIndex((cell) => cell !== "");
      const cells = row
        .slice(0, last + 1)
        .map((cell, column) => colour(cell, column) + " ".repeat((widths[column] ?? 0) - textWidth(cell)))
        .filter((_, column) => (widths[column] ?? 0) > 0);
      return flowing(cells, COLUMN_GAP, columns);
    })
    .join("\n");
}
