import type { RunResult } from "../result/run-result.js";
import { comparisonText } from "./comparison-text.js";
import { resultsCsv } from "./csv.js";
import { resultsJunit } from "./junit.js";
import { resultMarkdown } from "./markdown.js";
import { repeatsMarkdown } from "./repeats-markdown.js";
import { repeatsText } from "./repeats-text.js";
import { summaryText } from "./text.js";
import type { TextStyle } from "./text-style.js";

export type SomeResults = readonly [RunResult, ...RunResult[]];

/** Shows one result in full. Shows several as their summary and each of them. */
interface ReportForm {
  readonly write: (results: SomeResults, style: TextStyle) => string | Promise<string>;
  /** Whether each of several repeats also gets a file of its own, because the common file has only its figures. */
  readonly filePerRun: boolean;
}

/** The forms of results, by the name of their flag. */
export const REPORT_FORMS = {
  text: { write: resultsText, filePerRun: true },
  markdown: { write: (results) => markdownOf(results), filePerRun: true },
  html: { write: htmlOf, filePerRun: true },
  junit: { write: (results) => resultsJunit(results), filePerRun: false },
  csv: { write: (results) => resultsCsv(results), filePerRun: false },
} as const satisfies Readonly<Record<string, ReportForm>>;

export type ReportFormName = keyof typeof REPORT_FORMS;

export const REPORT_FORM_NAMES = Object.keys(REPORT_FORMS) as readonly ReportFormName[];

function resultsText(results: SomeResults, style: TextStyle): string {
  const several = results.length > 1;
  const each = results.map((result, index) => {
    const heading = several ? `${style.colours.bold(`run ${index + 1} of ${results.length}`)}\n\n` : "";
    return heading + summaryText(result, style);
  });
  const comparisons = results.flatMap(({ comparison }) => comparison ?? []);
  const parts = [
    ...(several ? [repeatsText(results, style)] : []),
    ...each,
    ...comparisons.map((comparison) => comparisonText(comparison, style)),
  ];
  return `${parts.join("\n\n")}\n`;
}

function markdownOf(results: SomeResults): string {
  const [first, ...more] = results;
  if (more.length === 0) return resultMarkdown(first);
  return [repeatsMarkdown(results), ...results.map((result) => resultMarkdown(withoutComparison(result)))].join("\n");
}

/** It loads a chart library. */
async function htmlOf(results: SomeResults): Promise<string> {
  const [first, ...more] = results;
  if (more.length === 0) return (await import("./html.js")).resultHtml(first);
  return (await import("./pages.js")).repeatsHtml(results);
}

function withoutComparison({ comparison: _comparison, ...result }: RunResult): RunResult {
  return result;
}
