import type { Machine } from "#machine";
import type { Participant } from "#session";
import type { Spread } from "#spread";
import type { Summary, WorkloadSummary } from "#summary";
import { activitiesOf, type Workload } from "#workloads";

interface Column {
  readonly title: string;
  readonly cell: (summary: Summary) => string;
}

/** One workload as Markdown: a heading, a table for each speed of commits, and the remarks below. */
export function workloadTable({ workload, baseline, contenders }: WorkloadSummary): string {
  const speeds = [...new Set(contenders.map(({ slowCommitsMs }) => slowCommitsMs))];
  const tables = speeds.map((speed) => {
    const rows = contenders.filter(({ slowCommitsMs }) => slowCommitsMs === speed);
    const title = speed === undefined ? "" : `\n${speed} ms added to each commit:\n`;
    return `${title}\n${markdownTable(columns(baseline, rows), rows)}`;
  });
  const remarks = contenders.flatMap(({ name, remarks, absent }) => [
    ...remarks.map((remark) => `- ${name}: ${remark}`),
    ...(absent === undefined ? [] : [`- ${name}: ${absent.kind}, ${absent.reason}`]),
  ]);
  const plain = workload.continueAsNewEvery === undefined ? [] : ["- only fanout continues as new"];
  const notes = [...plain, ...remarks].join("\n");
  return `### ${headingOf(workload)}\n${tables.join("\n")}\n${notes === "" ? "" : `\n${notes}\n`}`;
}

function headingOf(workload: Workload): string {
  const { name, orchestrations, iterations, activities, inFlight, meanSleepMs, outputBytes, continueAsNewEvery } =
    workload;
  const size = [orchestrations, iterations, activities].map((one) => formatCount(one)).join(" x ");
  const parts = [
    `${name}: ${size}, ${formatCount(activitiesOf(workload))} activities`,
    inFlight !== undefined && `${inFlight} in flight`,
    meanSleepMs !== undefined && `each sleeps exp(${meanSleepMs} ms)`,
    outputBytes !== undefined && `each result ${formatCount(outputBytes)} bytes larger`,
    continueAsNewEvery !== undefined && `a new history every ${continueAsNewEvery} iterations`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}

/** Those that every engine has, and those that any of the rows has. */
function columns(baseline: string, rows: readonly Summary[]): readonly Column[] {
  const compared = rows.some(({ toBaseline }) => toBaseline !== undefined);
  const slowed = rows.some(({ slowCommitsMs }) => slowCommitsMs !== undefined);
  return [
    { title: "engine", cell: ({ name }) => name },
    { title: "activities/s", cell: (one) => range(one.activitiesPerSecond, formatCount) },
    ...(compared
      ? [{ title: `to ${baseline}`, cell: (one: Summary) => range(one.toBaseline, (value) => value.toFixed(2)) }]
      : []),
    ...(slowed
      ? [
          { title: "to itself unslowed", cell: (one: Summary) => range(one.toUnslowed, (value) => value.toFixed(2)) },
          {
            title: "fsyncs per 1,000",
            cell: (one: Summary) => range(one.commitsPerThousand, (value) => value.toFixed(1)),
          },
        ]
      : []),
    { title: "CPU-s per 1,000", cell: (one) => range(one.cpuSecondsPerThousand, (value) => value.toFixed(2)) },
    { title: "server CPU us each", cell: (one) => range(one.serverMicrosPerActivity, formatCount) },
    { title: "peak MB", cell: ({ peakBytes }) => (peakBytes === undefined ? "n/a" : formatCount(peakBytes / 1e6)) },
    { title: "durability", cell: ({ durability }) => durability },
  ];
}

/** What the figures are of. */
export function machineLine({ cores, cpu, system, node, fsyncMs, load, scratchInMemory }: Machine): string {
  const fsync = scratchInMemory
    ? "data in memory, where an fsync costs nothing (see --scratch)"
    : `fsync ${fsyncMs.toFixed(2)} ms`;
  return `${cores} x ${cpu}, ${system}, Node ${node}, ${fsync}, load before ${load.toFixed(2)}`;
}

/** Versions, and what each took of a core while others were measured. */
export function participantsTable(participants: readonly Participant[]): string {
  return markdownTable(
    [
      { title: "engine", cell: ({ name }) => name },
      { title: "versions and settings", cell: ({ versions }) => versions ?? "not started" },
      {
        title: "of a core when idle",
        cell: ({ idleCpuShare }) => (idleCpuShare === undefined ? "" : percent(idleCpuShare)),
      },
    ],
    participants,
  );
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** `1,200 (1,100..1,300)`; a single value alone. */
function range(spread: Spread | undefined, format: (value: number) => string): string {
  if (spread === undefined) return "n/a";
  const [median, min, max] = [spread.median, spread.min, spread.max].map(format);
  return min === max ? median! : `${median} (${min}..${max})`;
}

/** Rows of a table in Markdown, its columns aligned. */
export function markdownTable<T>(
  columns: readonly { readonly title: string; readonly cell: (row: T) => string }[],
  rows: readonly T[],
): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = line(widths.map((width) => "-".repeat(width)));
  return [line(cells[0]!), rule, ...cells.slice(1).map(line)].join("\n");
}
