import type { Comparison } from "../result/run-result.js";
import { plural } from "../format/count.js";
import {
  caveatTexts,
  conclusionOf,
  differenceRows,
  figureCells,
  figureHeads,
  movedText,
  objectionRows,
  sideNames,
} from "./comparison-rows.js";
import { cellText, escapeMarkdown, markdownTable } from "./markdown-text.js";

/**
 * A comparison as GitHub's Markdown, without a final newline. The conclusion comes first, for the summary of a CI job.
 */
export function comparisonMarkdown(comparison: Comparison): string {
  const { word, rest } = conclusionOf(comparison);
  const { base, new: fresh } = sideNames(comparison);
  const sections = [
    `### fanout: ${escapeMarkdown(`${fresh} against ${base}: ${word}${rest}`)}`,
    caveatTexts(comparison)
      .map((text) => `- ${cellText(text)}`)
      .join("\n"),
    objections(comparison, comparison.unusable, "cannot be compared"),
    figures(comparison),
    escapeMarkdown(movedText(comparison) ?? ""),
    objections(comparison, comparison.dropped, "left out"),
    differences(comparison),
  ];
  return sections.filter((section) => section !== "").join("\n\n");
}

/** Several candidates against one base, with a final newline. */
export function comparisonsMarkdown(comparisons: readonly Comparison[]): string {
  return `${comparisons.map(comparisonMarkdown).join("\n\n")}\n`;
}

function figures(comparison: Comparison): string {
  const header = figureHeads(comparison).map(escapeMarkdown);
  const blanks = (cells: readonly string[]) => Array.from({ length: header.length - cells.length }, () => "");
  const rows = [
    ...comparison.figures.map((figure) => {
      const cells = figureCells(figure);
      return [...cells, ...blanks(cells), figure.finding];
    }),
    ...comparison.leftOut.map(({ figure, reason }) => [figure, ...blanks([figure]), `left out: ${reason}`]),
  ];
  return markdownTable([...header, ""], rows);
}

function objections(comparison: Comparison, runs: Comparison["unusable"], title: string): string {
  if (runs.length === 0) return "";
  const rows = markdownTable(["side", "run", "why"], objectionRows(comparison, runs));
  return `**${plural(runs.length, "run")} ${title}**\n\n${rows}`;
}

function differences(comparison: Comparison): string {
  const rows = markdownTable(["field", "values"], differenceRows(comparison));
  return rows === "" ? "" : `<details><summary>What else differs</summary>\n\n${rows}\n\n</details>`;
}
