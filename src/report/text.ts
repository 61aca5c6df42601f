import type { ChalkInstance } from "chalk";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { Listed, RunResult } from "../stats/run-result.js";
import { circumstanceFacts, workFacts, type Fact } from "./fact-rows.js";
import { latencyTable } from "./latency-rows.js";
import { toldText } from "../format/one-line.js";
import { outcomeOf } from "./outcome.js";
import { phaseTable } from "./phase-rows.js";
import { stallTexts } from "./stall-text.js";
import { thresholdList } from "./threshold-text.js";
import { doubtOf } from "./verdict-text.js";

const LISTED_STUCK = 10;
const NAME_WIDTH = 14;
const COLOURS = { Completed: "green", Interrupted: "yellow", Incomplete: "red" } as const;

/** The summary of a run for a person, without a final newline. */
export function summaryText(result: RunResult, colours: ChalkInstance): string {
  const outcome = headline(result, colours);
  const doubt = doubtLines(result.verdict, colours);
  const facts = factLines(result, colours);
  const sections = [
    // Nobody is to read a figure before the doubt about it.
    ...(doubt.length === 0 ? [[outcome, ...facts]] : [[outcome, ...doubt], facts]),
    latencyLines(result, colours),
    phaseLines(result, colours),
    stallTexts(result.stalls).map((text) => `  ${text.replace(/^stalled/u, (word) => colours.yellow(word))}`),
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

function doubtLines(verdict: RunResult["verdict"], colours: ChalkInstance): readonly string[] {
  const doubt = doubtOf(verdict);
  if (!doubt) return [];
  const colour = doubt.status === "invalid" ? colours.red : colours.yellow;
  return [
    colour(doubt.word) + doubt.rest,
    ...doubt.reasons.flatMap(({ text, advice }) => [`  ${text}`, `    ${advice}`]),
  ];
}

function factLines(result: RunResult, colours: ChalkInstance): readonly string[] {
  const { throughput, environment } = result;
  const facts: readonly Fact[] = [
    ...workFacts(result),
    ["throughput", throughput && throughputText(throughput)],
    ...circumstanceFacts(result),
    ["backend", `${environment.backend.name}, task hub ${environment.taskHub}`],
    ["run id", result.runId],
  ];
  return facts.flatMap(([name, value]) => (value ? [`  ${colours.dim(name.padEnd(NAME_WIDTH))}${value}`] : []));
}

function throughputText(throughput: NonNullable<RunResult["throughput"]>): string {
  const { orchestrationsPerSecond: orchestrations, activitiesPerSecond, actionsPerSecond, windowMs } = throughput;
  const rates = { orchestrations, activities: activitiesPerSecond, actions: actionsPerSecond };
  const texts = Object.entries(rates).flatMap(([name, rate]) =>
    rate === undefined ? [] : [`${name} ${formatRate(rate)}`],
  );
  return [...texts, ...(windowMs === undefined ? [] : [`over ${formatDuration(windowMs)}`])].join(", ");
}

function latencyLines(result: RunResult, colours: ChalkInstance): readonly string[] {
  const { columns, rows, note } = latencyTable(result);
  if (rows.length === 0) return [];
  return [
    colours.dim(tableLine("latency", columns)),
    ...rows.map(({ name, cells, meaning }) => `${tableLine(name, cells)}  ${colours.dim(meaning)}`),
    ...(note === undefined ? [] : [`  ${colours.dim(note)}`]),
  ];
}

function phaseLines(result: RunResult, colours: ChalkInstance): readonly string[] {
  const { columns, rows, more } = phaseTable(result);
  if (rows.length === 0) return [];
  const width = Math.max(NAME_WIDTH, ...rows.map(({ name }) => name.length + 2));
  const line = (name: string, cells: readonly string[]) => tableLine(name, cells, { name: width, cell: 14 });
  return [
    colours.dim(line("phase", columns)),
    ...rows.map(({ name, cells }) => line(name, cells)),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}

function tableLine(name: string, cells: readonly string[], width = { name: NAME_WIDTH, cell: 10 }): string {
  return `  ${name.padEnd(width.name)}${cells.map((cell) => cell.padStart(width.cell)).join("")}`.trimEnd();
}

function failureList(failures: RunResult["failures"], colours: ChalkInstance): readonly string[] {
  if (!failures) return [];
  const lines = failures.first.map(
    ({ instanceId, type, message }) => `  ${instanceId}  ${toldText(`${type}: ${message}`)}`,
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
