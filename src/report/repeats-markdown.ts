import type { RunResult } from "../result/run-result.js";
import { comparisonMarkdown } from "./comparison-markdown.js";
import { escapeMarkdown, markdownTable } from "./markdown-text.js";
import { repeatsTitle, runsTable, spreadTable } from "./repeats-rows.js";

/** The summary of several runs as GitHub's Markdown, with the comparison with a baseline if there is one. */
export function repeatsMarkdown(results: readonly RunResult[]): string {
  const sections = [
    `### fanout: ${escapeMarkdown(repeatsTitle(results))}`,
    ...results.flatMap(({ comparison }) => (comparison ? [comparisonMarkdown(comparison)] : [])),
    ...[spreadTable(results), runsTable(results)].map(({ heads, rows }) => markdownTable(heads, rows)),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}
