import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { planLine } from "../format/plan-line.js";
import { formatRate } from "../format/rate.js";
import type { HubSurvey, Listed, ResultPlan, RunResult } from "../stats/run-result.js";
import { notCompletedText, outcomeText } from "./outcome.js";
import { latencyTable } from "./latency-rows.js";
import { oneLine } from "./one-line.js";
import { foundText } from "./threshold-text.js";

/** A row's cells; one whose last cell is undefined or empty has nothing to tell. */
type Row = readonly [name: string, value: string | undefined];

const LISTED = 10;
/** Nobody reads more of a message in a table, and GitHub drops a summary beyond 1 MiB. */
const LONGEST_CELL = 1_000;

/** A run as GitHub's Markdown, for the summary of a CI job. */
export function resultMarkdown(result: RunResult): string {
  const sections = [
    `### fanout: ${escapeMarkdown(outcomeText(result))}`,
    escapeMarkdown(planText(result.plan)),
    namedTable(["figure", "value"], figures(result)),
    latencies(result),
    thresholds(result),
    failures(result),
    stuck(result),
    `<details><summary>Environment</summary>\n\n${namedTable(["", ""], environment(result))}\n\n</details>`,
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function planText({ orchestrator, ...size }: ResultPlan): string {
  return planLine(orchestrator === undefined ? size : { ...size, orchestrator: { name: orchestrator } });
}

function figures(result: RunResult): readonly Row[] {
  const { counts, throughput } = result;
  const { activities, actions, rpcErrors } = counts;
  const errors = Object.entries(rpcErrors).filter(([, count]) => count > 0);
  return [
    ["not completed", notCompletedText(result)],
    ["activities", activities && `${formatCount(activities.completed)} of ${formatCount(activities.needed)}`],
    ["actions", actions === undefined ? undefined : formatCount(actions)],
    ["throughput, orchestrations", rateText(throughput?.orchestrationsPerSecond)],
    ["throughput, activities", rateText(throughput?.activitiesPerSecond)],
    ["throughput, actions", rateText(throughput?.actionsPerSecond)],
    ["RPC errors", errors.map(([status, count]) => `${formatCount(count)} ${status}`).join(", ")],
    ["run id", result.runId],
  ];
}

function rateText(perSecond: number | undefined): string | undefined {
  return perSecond === undefined ? undefined : formatRate(perSecond);
}

function latencies(result: RunResult): string {
  const { columns, rows } = latencyTable(result);
  const cells = rows.map((row) => [row.name, ...row.cells, row.meaning]);
  return table(["latency", ...columns, ""], cells);
}

function thresholds({ thresholds = [] }: RunResult): string {
  const rows = thresholds.map((threshold) => [
    threshold.expression,
    threshold.passed ? "passed" : "missed",
    [foundText(threshold), threshold.reason].filter((part) => part !== undefined).join(", "),
  ]);
  return table(["threshold", "", "found"], rows);
}

function failures({ failures }: RunResult): string {
  if (!failures) return "";
  const rows = failures.first.slice(0, LISTED).map((one) => [one.instanceId, `${one.type}: ${one.message}`]);
  return listed(`${plural(failures.total, "orchestration")} failed`, failures, table(["instance", "failure"], rows));
}

function stuck({ stuck, plan }: RunResult): string {
  if (!stuck) return "";
  const rows = stuck.first.slice(0, LISTED).map(({ instanceId, status, iterationsCompleted }) => {
    const reached = iterationsCompleted ?? (status === "Pending" ? 0 : undefined);
    const known = reached !== undefined && plan.iterations !== undefined;
    return [instanceId, status, known ? `${formatCount(reached)} of ${formatCount(plan.iterations)}` : ""];
  });
  const title = `${plural(stuck.total, "orchestration")} unfinished`;
  return listed(title, stuck, table(["instance", "status", "iterations done"], rows));
}

function listed(title: string, { total, first }: Listed<unknown>, rows: string): string {
  const rest = total - Math.min(first.length, LISTED);
  return [`**${title}**`, rows, rest > 0 ? `and ${formatCount(rest)} more` : ""]
    .filter((part) => part !== "")
    .join("\n\n");
}

function environment({ environment, plan, startedAt }: RunResult): readonly Row[] {
  const { fanoutVersion, sdkVersion, node, platform, cpu, backend, taskHub, ownWorkers, hub } = environment;
  return [
    ["started", startedAt],
    ["backend", backend.name],
    ["task hub", taskHub],
    ["on it at the start", hubText(hub)],
    ["worker processes of the run", formatCount(ownWorkers)],
    ["timeout", formatDuration(plan.timeoutMs)],
    ["activities", plan.activity && JSON.stringify(plan.activity)],
    ["continue-as-new every", plan.continueAsNewEvery ? plural(plan.continueAsNewEvery, "iteration") : undefined],
    ["fanout", `${fanoutVersion}, on SDK ${sdkVersion} and Node ${node}`],
    ["machine", `${platform}, ${plural(cpu.cores, "core")}, ${cpu.model}`],
  ];
}

function hubText(hub: HubSurvey): string {
  if ("unknown" in hub) return `not known: ${hub.unknown}`;
  return `${hub.more ? "more than " : ""}${formatCount(hub.unfinished)} unfinished of others`;
}

function namedTable(header: readonly string[], rows: readonly Row[]): string {
  return table(
    header,
    rows.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]])),
  );
}

/** No rows, no table. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const lines = [header, header.map(() => "---"), ...rows.map((row) => row.map(cellText))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cellText(text: string): string {
  return escapeMarkdown(text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}...` : text);
}

/** Text that says what it says and nothing more: one line, without markup, HTML, entities, references or formulas. */
function escapeMarkdown(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_[\]<>|~#&@$]/gu, "\\$&");
}
