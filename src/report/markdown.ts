import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { planLine } from "./plan-line.js";
import { formatRate } from "../format/rate.js";
import type { Listed, RunResult } from "../result/run-result.js";
import { breakdownTable } from "./breakdown-rows.js";
import { comparisonMarkdown } from "./comparison-markdown.js";
import { callsText, circumstanceFacts, hubText, workFacts, type Fact } from "./fact-rows.js";
import { iterationText, standOutTexts, workerTable } from "./fan-in-rows.js";
import { latencyTable } from "./latency-rows.js";
import { cellText, escapeMarkdown, markdownTable } from "./markdown-text.js";
import { orchestrationTable } from "./orchestration-rows.js";
import { outcomeText } from "./outcome.js";
import { phaseTable } from "./phase-rows.js";
import { planFacts } from "./plan-facts.js";
import { shardTable } from "./shard-rows.js";
import { outageTexts, stallTexts } from "./stall-text.js";
import { foundText } from "./threshold-text.js";
import { doubtOf } from "./verdict-text.js";

const LISTED = 10;

/** A run as GitHub's Markdown, for the summary of a CI job. */
export function resultMarkdown(result: RunResult): string {
  const sections = [
    `### fanout: ${escapeMarkdown(outcomeText(result))}`,
    doubt(result),
    escapeMarkdown(planLine(result.plan)),
    namedTable(["figure", "value"], figures(result)),
    latencies(result),
    orchestrations(result),
    whereTheTimeWent(result),
    phases(result),
    shards(result),
    troubles(result),
    thresholds(result),
    result.comparison ? comparisonMarkdown(result.comparison) : "",
    failures(result),
    stuck(result),
    `<details><summary>Environment</summary>\n\n${namedTable(["", ""], environment(result))}\n\n</details>`,
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function doubt({ verdict }: RunResult): string {
  const found = doubtOf(verdict);
  if (!found) return "";
  const reasons = found.reasons.map(({ text, advice }) => `- ${cellText(text)}: ${cellText(advice)}`);
  return [`**${found.word}${found.rest}**`, reasons.join("\n")].filter((part) => part !== "").join("\n\n");
}

function figures(result: RunResult): readonly Fact[] {
  const { throughput } = result;
  return [
    ...workFacts(result),
    ["throughput, orchestrations", rateText(throughput?.orchestrationsPerSecond)],
    ["throughput, activities", rateText(throughput?.activitiesPerSecond)],
    ["throughput, actions", rateText(throughput?.actionsPerSecond)],
    ["throughput, measured over", throughput?.windowMs === undefined ? undefined : formatDuration(throughput.windowMs)],
    ...circumstanceFacts(result),
    ["run id", result.runId],
  ];
}

function rateText(perSecond: number | undefined): string | undefined {
  return perSecond === undefined ? undefined : formatRate(perSecond);
}

function latencies(result: RunResult): string {
  const { columns, rows, note } = latencyTable(result);
  const cells = rows.map((row) => [row.name, ...row.cells, row.meaning]);
  return withRest(markdownTable(["latency", ...columns, ""], cells), note);
}

function whereTheTimeWent(result: RunResult): string {
  const table = breakdownTable(result);
  if (!table) return "";
  const rows = table.rows.map(({ name, cells, meaning }) => [name, ...cells, meaning]);
  const notes = [...table.notes, iterationText(result) ?? [], standOutTexts(result)]
    .flat()
    .map((note) => `- ${cellText(note)}`)
    .join("\n");
  const workers = workerTable(result);
  const workerRows = workers.rows.map(({ name, cells }) => [name, ...cells]);
  return [
    "**Where the time went**",
    markdownTable(["phase", ...table.columns, ""], rows),
    notes,
    markdownTable(["worker", ...workers.columns], workerRows),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function orchestrations(result: RunResult): string {
  const { columns, rows } = orchestrationTable(result);
  return markdownTable(
    ["orchestration", ...columns],
    rows.map(({ name, cells }) => [name, ...cells]),
  );
}

function shards(result: RunResult): string {
  const { columns, rows } = shardTable(result);
  return markdownTable(
    ["shard", ...columns],
    rows.map(({ name, cells }) => [name, ...cells]),
  );
}

function phases(result: RunResult): string {
  const { columns, rows, more } = phaseTable(result);
  const cells = rows.map((row) => [row.name, ...row.cells]);
  return withRest(markdownTable(["phase", ...columns], cells), more > 0 ? `and ${formatCount(more)} more` : undefined);
}

function troubles({ outages, stalls }: RunResult): string {
  return [...outageTexts(outages), ...stallTexts(stalls)].map((text) => `- ${cellText(text)}`).join("\n");
}

function withRest(rows: string, rest: string | undefined): string {
  return rest === undefined ? rows : `${rows}\n\n${rest}`;
}

function thresholds({ thresholds = [] }: RunResult): string {
  const rows = thresholds.map((threshold) => [
    threshold.expression,
    threshold.passed ? "passed" : "missed",
    [foundText(threshold), threshold.reason].filter((part) => part !== undefined).join(", "),
  ]);
  return markdownTable(["threshold", "", "found"], rows);
}

function failures({ failures }: RunResult): string {
  if (!failures) return "";
  const rows = failures.first.slice(0, LISTED).map((one) => [one.instanceId, `${one.type}: ${one.message}`]);
  return listed(
    `${plural(failures.total, "orchestration")} failed`,
    failures,
    markdownTable(["instance", "failure"], rows),
  );
}

function stuck({ stuck, plan }: RunResult): string {
  if (!stuck) return "";
  const rows = stuck.first.slice(0, LISTED).map(({ instanceId, status, iterationsCompleted }) => {
    const reached = iterationsCompleted ?? (status === "Pending" ? 0 : undefined);
    const known = reached !== undefined && plan.iterations !== undefined;
    return [instanceId, status, known ? `${formatCount(reached)} of ${formatCount(plan.iterations)}` : ""];
  });
  const title = `${plural(stuck.total, "orchestration")} unfinished`;
  return listed(title, stuck, markdownTable(["instance", "status", "iterations done"], rows));
}

function listed(title: string, { total, first }: Listed<unknown>, rows: string): string {
  const rest = total - Math.min(first.length, LISTED);
  return [`**${title}**`, rows, rest > 0 ? `and ${formatCount(rest)} more` : ""]
    .filter((part) => part !== "")
    .join("\n\n");
}

function environment({ environment, plan, startedAt, noticing, clock }: RunResult): readonly Fact[] {
  const { fanoutVersion, sdkVersion, node, platform, cpu, backend, taskHub, transport, ownWorkers, hub } = environment;
  return [
    ["started", startedAt],
    ["backend", backend.name],
    ["task hub", taskHub],
    ["on it when the run began", hubText(hub)],
    ["calls made with", transport],
    ["worker processes of the run", formatCount(ownWorkers)],
    ...planFacts(plan),
    ["calls to notice completions", callsText(noticing)],
    ["backend's clock known to", clock && `± ${formatDuration(clock.boundMs)}`],
    ["fanout", `${fanoutVersion}, on SDK ${sdkVersion} and Node ${node}`],
    ["machine", `${platform}, ${plural(cpu.cores, "core")}, ${cpu.model}`],
  ];
}

function namedTable(header: readonly string[], rows: readonly Fact[]): string {
  return markdownTable(
    header,
    rows.flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
}
