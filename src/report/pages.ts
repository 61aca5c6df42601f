import type { Comparison, RunResult } from "../result/run-result.js";
import { conclusionOf, sideNames } from "./comparison-rows.js";
import { comparisonSection } from "./html/comparison.js";
import { markup, type Content } from "./html/markup.js";
import { documentOf } from "./html/page.js";
import { STYLE } from "./html/style.js";
import { numbersBy, tableSection, type Column } from "./html/table.js";
import { planLine } from "./plan-line.js";
import { repeatsTitle, runsTable, spreadTable } from "./repeats-rows.js";

/**
 * Several runs as one page: mean and spread, a row for each run, and the comparison with a baseline if there is one.
 */
export function repeatsHtml(results: readonly RunResult[]): string {
  const plans = [...new Set(results.map(({ plan }) => planLine(plan)))];
  const spread = spreadTable(results);
  const runs = runsTable(results);
  return page("fanout run report", repeatsTitle(results), [
    plans.map((plan) => markup`<p class="plan">${plan}</p>\n`),
    results.map(({ comparison }) => comparison && comparisonSection(comparison)),
    tableSection("Mean and spread", numbersBy(...namesOf(spread.heads)), spread.rows),
    tableSection("Each run", columnsOf(runs.heads), runs.rows),
  ]);
}

/** Comparisons as one page. */
export function comparisonsHtml(comparisons: readonly Comparison[]): string {
  const title = comparisons
    .map((comparison) => `${sideNames(comparison).new}: ${conclusionOf(comparison).word}`)
    .join(", ");
  return page("fanout comparison", title, comparisons.map(comparisonSection));
}

function page(brand: string, title: string, sections: readonly Content[]): string {
  const body = markup`<header><p class="brand">${brand}</p>\n<h1>${title}</h1></header>\n${sections}`;
  return documentOf({ title: `fanout: ${title}`, body, style: STYLE });
}

function columnsOf(heads: readonly string[]): readonly Column[] {
  return heads.map((name, index) => ({ name, kind: index === 0 || name === "" ? "text" : "number" }));
}

function namesOf(heads: readonly string[]): readonly [string, ...string[]] {
  const [first = "", ...rest] = heads;
  return [first, ...rest];
}
