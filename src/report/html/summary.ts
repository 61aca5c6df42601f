import { formatCount, plural } from "../../format/count.js";
import { durabilityText } from "../../format/durability.js";
import { formatDuration } from "../../format/duration.js";
import { oneLine } from "../../format/one-line.js";
import { planLine } from "../plan-line.js";
import { formatRate } from "../../format/rate.js";
import type { RunResult } from "../../result/run-result.js";
import { notCompletedText, outcomeOf } from "../outcome.js";
import { foundText } from "../threshold-text.js";
import { doubtOf } from "../verdict-text.js";
import { HOME_LINK, markup, type Markup } from "./markup.js";
import { errorText } from "./percentile-chart.js";
import { tableSection, withoutEmpty, type Column } from "./table.js";

const SIGNS = { suspect: "▲", invalid: "✕" } as const;
/** Of "Completed": green only if the figures can be believed. */
const COLOURS = { valid: "good", suspect: "doubt", invalid: "doubt" } as const;

/** How the run ended, what it was, and when it ran. */
export function header(result: RunResult, { isServed = false } = {}): Markup {
  const { word, rest } = outcomeOf(result);
  const { runId, startedAt, plan, environment } = result;
  const { durability } = environment.backend;
  const labels = Object.entries(plan.labels ?? {}).map(([name, value]) => markup`<li>${name}=${value}</li>`);
  return markup`<header>
<p class="brand">${isServed ? HOME_LINK : "fanout"} run report</p>
<h1><span class="${word === "Completed" ? COLOURS[result.verdict?.status ?? "valid"] : "bad"}">${word}</span>${rest}</h1>
<p class="plan">${planLine(plan)}</p>
<p class="facts">Run <code>${runId}</code>, started <time datetime="${startedAt}">${startText(startedAt)}</time></p>
${isServed ? resultLink(runId) : undefined}
${durability && markup`<p class="facts">Durability ${durabilityText(durability)}</p>`}
${labels.length > 0 ? markup`<ul class="labels" aria-label="labels">${labels}</ul>` : undefined}
</header>
`;
}

/** For other programs, and for `fanout compare`. */
function resultLink(runId: string): Markup {
  const path = `/api/v1/runs/${encodeURIComponent(runId)}/result`;
  return markup`<p class="facts"><a href="${path}" download="${runId}.json">Download the result</a>, for <code>fanout report</code> and <code>fanout compare</code></p>`;
}

/** `2030-01-02 03:04:05 UTC`; a text that is no time in ISO 8601 is returned unchanged. */
function startText(iso: string): string {
  return iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/u, "$1 $2 UTC");
}

/** Whether the figures can be believed. A valid verdict takes little room. */
export function verdictSection({ verdict }: RunResult): Markup | undefined {
  if (verdict?.status === "valid")
    return markup`<p class="valid"><span class="good">✓ Valid</span>: nothing about the load generator casts doubt on these figures.</p>\n`;

  const doubt = doubtOf(verdict);
  if (!doubt) return undefined;
  const reasons = doubt.reasons.map(
    ({ severity, text, advice }) =>
      markup`<li>${severity === doubt.status ? undefined : markup`<strong>${severity}</strong> `}${text}<p>What to change: ${advice}</p></li>\n`,
  );
  return markup`<section class="verdict ${doubt.status}">
<h2><span aria-hidden="true">${SIGNS[doubt.status]}</span> ${doubt.word}${doubt.rest}</h2>
<ul>${reasons}</ul>
</section>
`;
}

export function thresholdSection({ thresholds = [] }: RunResult): Markup | undefined {
  const rows = thresholds.map((threshold) => [
    threshold.expression,
    threshold.passed ? markup`<span class="good">✓ passed</span>` : markup`<span class="bad">✕ missed</span>`,
    foundText(threshold),
    threshold.reason,
  ]);
  const columns: readonly Column[] = [
    { name: "threshold", kind: "text" },
    { name: "outcome", kind: "text" },
    { name: "found", kind: "number" },
    { name: "why", kind: "text" },
  ];
  const missed = thresholds.filter(({ passed }) => !passed).length;
  const all = plural(thresholds.length, "threshold");
  const title = missed === 0 ? `${all} passed` : `${formatCount(missed)} of ${all} missed`;
  return tableSection(title, ...withoutEmpty(columns, rows));
}

/** The figures that most readers look for. */
export function tiles(result: RunResult): Markup {
  const layout = result.verdict?.status === "invalid" ? "tiles invalid" : "tiles";
  return markup`<section class="${layout}" aria-label="key figures">
${[throughputTile(result), ...latencyTiles(result), endTile(result), actionsTile(result)]}</section>
`;
}

function throughputTile({ throughput }: RunResult): Markup | undefined {
  if (!throughput) return undefined;
  const { orchestrationsPerSecond, activitiesPerSecond } = throughput;
  const activities = activitiesPerSecond === undefined ? "" : `${formatRate(activitiesPerSecond)} activities`;
  return tile("orchestrations per second", formatRate(orchestrationsPerSecond), activities);
}

/** The median and the p99, or the figures that a smaller sample has. */
function latencyTiles({ counts, latencyMs }: RunResult): readonly (Markup | undefined)[] {
  const name = latencyMs.response ? "response" : "service";
  const summary = latencyMs[name];
  if (!summary || counts.orchestrations.started <= 1) return [];
  const { p50, p99, mean, max } = summary;
  const note = errorText(summary).replace(/^, /u, "");
  const typical = p50 === undefined ? (["mean", mean] as const) : (["p50", p50] as const);
  const worst = p99 === undefined ? (["max", max] as const) : (["p99", p99] as const);
  return [typical, worst].map(([figure, ms]) => tile(`${name} time, ${figure}`, formatDuration(ms), note));
}

function endTile(result: RunResult): Markup {
  const { started, completed } = result.counts.orchestrations;
  const rest = notCompletedText(result);
  const sum = `${formatCount(completed)} of ${formatCount(started)} started completed`;
  const value =
    rest === ""
      ? markup`<span class="good">none</span>`
      : markup`<span class="bad">${formatCount(started - completed)}</span>`;
  return tile("not completed", value, rest === "" ? sum : rest);
}

function actionsTile({ counts, throughput }: RunResult): Markup | undefined {
  if (counts.actions === undefined) {
    return counts.actionsAtLeast === undefined
      ? undefined
      : tile("actions", `≥ ${formatCount(counts.actionsAtLeast)}`, oneLine(counts.actionsMissing ?? ""));
  }
  const rate = throughput?.actionsPerSecond;
  return tile("actions", formatCount(counts.actions), rate === undefined ? "" : formatRate(rate));
}

function tile(name: string, value: Markup | string, note: string): Markup {
  return markup`<div><h3>${name}</h3><p class="value">${value}</p><p class="note">${note}</p></div>\n`;
}
