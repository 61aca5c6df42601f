import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { flowing, hanging, wrapped } from "../format/wrap.js";
import type { Listed, RunResult } from "../result/run-result.js";
import { breakdownLines } from "./breakdown-text.js";
import { circumstanceFacts, workFacts, type Fact } from "./fact-rows.js";
import { standOutTexts } from "./fan-in-rows.js";
import { latencyTable } from "./latency-rows.js";
import { toldText } from "../format/one-line.js";
import { orchestrationTable } from "./orchestration-rows.js";
import { outcomeOf } from "./outcome.js";
import { phaseTable } from "./phase-rows.js";
import { shardTable } from "./shard-rows.js";
import { outageTexts, stallTexts } from "./stall-text.js";
import { tableLines } from "./table-text.js";
import type { TextStyle } from "./text-style.js";
import { thresholdList } from "./threshold-text.js";
import { doubtOf } from "./verdict-text.js";

const LISTED_STUCK = 10;
const NAME_WIDTH = 13;
const COLOURS = { Completed: "green", Interrupted: "yellow", Incomplete: "red" } as const;

/** The summary of a run for a person, without a final newline. */
export function summaryText(result: RunResult, style: TextStyle): string {
  const outcome = headline(result, style);
  const doubt = doubtLines(result.verdict, style);
  const facts = factLines(result, style);
  const sections = [
    // The doubt about a figure must come before the figure.
    ...(doubt.length === 0 ? [[...outcome, ...facts]] : [[...outcome, ...doubt], facts]),
    latencyLines(result, style),
    orchestrationLines(result, style),
    breakdownLines(result, style),
    standOutTexts(result).flatMap((text) => hanging("  ", text, style.columns)),
    phaseLines(result, style),
    shardLines(result, style),
    troubleLines(result, style),
    thresholdList(result.thresholds, style),
    failureList(result.failures, style),
    stuckList(result, style),
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

function headline(result: RunResult, { colours, columns }: TextStyle): readonly string[] {
  const { word, rest } = outcomeOf(result);
  return wrapped(colours[COLOURS[word]](word) + rest, columns);
}

function doubtLines(verdict: RunResult["verdict"], { colours, columns }: TextStyle): readonly string[] {
  const doubt = doubtOf(verdict);
  if (!doubt) return [];
  const colour = doubt.status === "invalid" ? colours.red : colours.yellow;
  return [
    ...wrapped(colour(doubt.word) + doubt.rest, columns),
    ...doubt.reasons.flatMap(({ text, advice }) => [
      ...hanging("  ", text, columns),
      ...hanging("    ", advice, columns),
    ]),
  ];
}

function factLines(result: RunResult, { colours, columns }: TextStyle): readonly string[] {
  const { throughput, environment } = result;
  const facts: readonly Fact[] = [
    ...workFacts(result),
    ["throughput", throughput && throughputText(throughput)],
    ...circumstanceFacts(result),
    ["backend", `${environment.backend.name}, task hub ${environment.taskHub}`],
    ["run id", result.runId],
  ];
  return facts.flatMap(([name, value]) =>
    value ? hanging(`  ${colours.dim(name.padEnd(NAME_WIDTH))} `, value, columns) : [],
  );
}

function throughputText(throughput: NonNullable<RunResult["throughput"]>): string {
  const { orchestrationsPerSecond: orchestrations, activitiesPerSecond, actionsPerSecond, windowMs } = throughput;
  const rates = { orchestrations, activities: activitiesPerSecond, actions: actionsPerSecond };
  const texts = Object.entries(rates).flatMap(([name, rate]) =>
    rate === undefined ? [] : [`${name} ${formatRate(rate)}`],
  );
  return [...texts, ...(windowMs === undefined ? [] : [`over ${formatDuration(windowMs)}`])].join(", ");
}

function latencyLines(result: RunResult, style: TextStyle): readonly string[] {
  const { columns, rows, note } = latencyTable(result);
  if (rows.length === 0) return [];
  const { dim } = style.colours;
  const remarked = rows.map(({ name, cells, meaning }) => ({ name, cells, remark: dim(meaning) }));
  return [
    ...tableLines({ heads: ["latency", ...columns], rows: remarked }, style),
    ...(note === undefined ? [] : hanging("  ", dim(note), style.columns)),
  ];
}

function orchestrationLines(result: RunResult, style: TextStyle): readonly string[] {
  const { columns, rows } = orchestrationTable(result);
  return rows.length === 0 ? [] : tableLines({ heads: ["orchestration", ...columns], rows }, style);
}

function phaseLines(result: RunResult, style: TextStyle): readonly string[] {
  const { columns, rows, more } = phaseTable(result);
  if (rows.length === 0) return [];
  return [
    ...tableLines({ heads: ["phase", ...columns], rows }, style),
    ...(more > 0 ? [`  and ${formatCount(more)} more`] : []),
  ];
}

function shardLines(result: RunResult, style: TextStyle): readonly string[] {
  const { columns, rows } = shardTable(result);
  return rows.length === 0 ? [] : tableLines({ heads: ["shard", ...columns], rows }, style);
}

function troubleLines({ outages, stalls }: RunResult, { colours, columns }: TextStyle): readonly string[] {
  return [...outageTexts(outages), ...stallTexts(stalls)].flatMap((text) =>
    hanging(
      "  ",
      text.replace(/^(?:stalled|backend away)/u, (word) => colours.yellow(word)),
      columns,
    ),
  );
}

function failureList(failures: RunResult["failures"], { colours, columns }: TextStyle): readonly string[] {
  if (!failures) return [];
  const lines = failures.first.flatMap(({ instanceId, type, message }) =>
    flowing([`  ${instanceId}`, toldText(`${type}: ${message}`)], "  ", columns),
  );
  return [
    colours.red(`${plural(failures.total, "orchestration")} failed`),
    ...lines,
    ...restOf(failures, failures.first.length),
  ];
}

function stuckList({ stuck, plan }: RunResult, { colours, columns }: TextStyle): readonly string[] {
  if (!stuck) return [];
  const listed = stuck.first.slice(0, LISTED_STUCK);
  const lines = listed.flatMap(({ instanceId, status, iterationsCompleted }) => {
    const reached = iterationsCompleted ?? (status === "Pending" ? 0 : undefined);
    const progress =
      reached === undefined || plan.iterations === undefined
        ? ""
        : `, ${formatCount(reached)} of ${plural(plan.iterations, "iteration")} done`;
    return flowing([`  ${instanceId}`, `${status}${progress}`], "  ", columns);
  });
  return [
    colours.yellow(`${plural(stuck.total, "orchestration")} unfinished`),
    ...lines,
    ...restOf(stuck, listed.length),
  ];
}

function restOf(list: Listed<unknown>, shown: number): readonly string[] {
  return list.total > shown ? [`  and ${formatCount(list.total - shown)} more`] : [];
}
