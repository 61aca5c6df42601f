import type { Comparison, RunResult } from "../result/run-result.js";
import { conclusionOf, sideNames } from "./comparison-rows.js";
import { comparisonSection } from "./html/comparison.js";
import { HOME_LINK, markup, type Content } from "./html/markup.js";
import { chartSection, type Chart } from "./html/chart.js";
import { chartedPage } from "./html/charted-page.js";
import { numbersBy, tableSection, type Column } from "./html/table.js";
import { planLine } from "./plan-line.js";
import { trendCharts } from "./html/trend-charts.js";
import { repeatsTitle, runsTable, spreadTable } from "./repeats-rows.js";

/**
 * Several runs as one page, in the order of their starts: mean and spread, the trend, a row for each run, and the comparison
 * with a baseline if there is one.
 */
export async function repeatsHtml(given: readonly RunResult[]): Promise<string> {
  // ISO 8601 in UTC sorts as text, and so does a text that is no time.
  const results = given.toSorted((a, b) => Number(a.startedAt > b.startedAt) - Number(a.startedAt < b.startedAt));
  const charts = trendCharts(results);
  const plans = [...new Set(results.map(({ plan }) => planLine(plan)))];
  const spread = spreadTable(results);
  const runs = runsTable(results);
  const sections = [
    plans.map((plan) => markup`<p class="plan">${plan}</p>\n`),
    results.map(({ comparison }) => comparison && comparisonSection(comparison)),
    tableSection("Mean and spread", numbersBy(...namesOf(spread.heads)), spread.rows),
    charts.map(chartSection),
    tableSection("Each run", columnsOf(runs.heads), runs.rows),
  ];
  return page("fanout run report", repeatsTitle(results), sections, charts);
}

/** Comparisons as one page; `isServed` by `fanout serve`, whose first page it then leads to. */
export async function comparisonsHtml(comparisons: readonly Comparison[], { isServed = false } = {}): Promise<string> {
  const title = comparisons
    .map((comparison) => `${sideNames(comparison).new}: ${conclusionOf(comparison).word}`)
    .join(", ");
  const sections = comparisons.map(comparisonSection);
  if (!isServed) return page("fanout comparison", title, sections);
  return page(markup`${HOME_LINK} comparison`, title, [reportLinks(comparisons), sections]);
}

/** To the reports of the runs that are compared, where `fanout serve` has them. */
function reportLinks(comparisons: readonly Comparison[]): Content {
  const ids = new Set(comparisons.flatMap(({ names }) => (names ? [names.base, names.new] : [])));
  const links = [...ids].map(
    (id, index) => markup`${index === 0 ? "" : ", "}<a href="/runs/${encodeURIComponent(id)}/report">${id}</a>`,
  );
  return markup`<p class="facts">Reports: ${links}</p>\n`;
}

async function page(
  brand: Content,
  title: string,
  sections: readonly Content[],
  charts: readonly Chart[] = [],
): Promise<string> {
  const body = markup`<header><p class="brand">${brand}</p>\n<h1>${title}</h1></header>\n${sections}`;
  return chartedPage(`fanout: ${title}`, body, charts);
}

function columnsOf(heads: readonly string[]): readonly Column[] {
  return heads.map((name, index) => ({ name, kind: index === 0 || name === "" ? "text" : "number" }));
}

function namesOf(heads: readonly string[]): readonly [string, ...string[]] {
  const [first = "", ...rest] = heads;
  return [first, ...rest];
}
