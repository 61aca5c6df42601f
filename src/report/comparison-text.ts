import type { ChalkInstance } from "chalk";
import { plural } from "../format/count.js";
import type { Comparison, Finding } from "../stats/comparison.js";
import {
  caveatTexts,
  conclusionOf,
  differenceRows,
  figureCells,
  figureHeads,
  objectionRows,
  sideNames,
  type Conclusion,
} from "./comparison-rows.js";

type Colour = "red" | "green" | "yellow";

const FINDINGS: Readonly<Partial<Record<Finding, Colour>>> = {
  slower: "red",
  faster: "green",
  "run-to-run noise unknown": "yellow",
  "not judged": "yellow",
};
const CONCLUSIONS: Readonly<Partial<Record<Conclusion["word"], Colour>>> = {
  Slower: "red",
  Faster: "green",
  "Run-to-run noise unknown": "yellow",
  "Not judged": "yellow",
};

/** A comparison for a person, without a final newline: what else differs first, the conclusion last. */
export function comparisonText(comparison: Comparison, colours: ChalkInstance): string {
  const { unusable, dropped } = comparison;
  const sections = [
    caveatTexts(comparison).map((text) => `${colours.yellow("Take care")}: ${text}`),
    differenceLines(comparison, colours),
    objectionLines(comparison, unusable, colours.red("Cannot be compared")),
    objectionLines(comparison, dropped, colours.yellow("Left out")),
    figureLines(comparison, colours),
    [conclusionLine(comparison, colours)],
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

/** Several candidates against one base, each with its own heading and conclusion. */
export function comparisonsText(comparisons: readonly Comparison[], colours: ChalkInstance): string {
  const headings = comparisons.length > 1;
  return comparisons
    .map((comparison) => {
      const { base, new: fresh } = sideNames(comparison);
      const heading = headings ? `${colours.bold(`${fresh} against ${base}`)}\n\n` : "";
      return heading + comparisonText(comparison, colours);
    })
    .join("\n\n");
}

function differenceLines(comparison: Comparison, colours: ChalkInstance): readonly string[] {
  const rows = differenceRows(comparison);
  if (rows.length === 0) return [];
  const names = sideNames(comparison);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    `${colours.yellow("The runs differ")} in more than their figures (${names.base} -> ${names.new})`,
    ...rows.map(([name, values]) => `  ${colours.dim(name.padEnd(width))}  ${values}`),
  ];
}

function objectionLines(comparison: Comparison, runs: Comparison["unusable"], title: string): readonly string[] {
  if (runs.length === 0) return [];
  const names = sideNames(comparison);
  const width = Math.max(names.base.length, names.new.length);
  const rows = objectionRows(comparison, runs);
  return [
    `${title}: ${plural(runs.length, "run")}`,
    ...rows.map(([side = "", ...cells]) => `  ${[side.padEnd(width), ...cells].join("  ")}`),
  ];
}

function figureLines(comparison: Comparison, colours: ChalkInstance): readonly string[] {
  const { figures, leftOut } = comparison;
  const header = figureHeads(comparison);
  const table = [header, ...figures.map(figureCells), ...leftOut.map(({ figure }) => [figure])];
  const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const line = ([name = "", ...cells]: readonly string[]) =>
    `  ${[name.padEnd(widths[0]!), ...cells.map((cell, index) => cell.padStart(widths[index + 1]!))].join("  ")}`;
  return [
    colours.dim(line(header)),
    ...figures.map((figure) => `${line(figureCells(figure))}  ${coloured(figure.finding, FINDINGS, colours)}`),
    ...leftOut.map(({ figure, reason }) => `${line([figure])}  ${colours.dim(`left out: ${reason}`)}`),
  ];
}

function conclusionLine(comparison: Comparison, colours: ChalkInstance): string {
  const { word, rest } = conclusionOf(comparison);
  return coloured(word, CONCLUSIONS, colours) + rest;
}

function coloured<Word extends string>(
  word: Word,
  byWord: Readonly<Partial<Record<Word, Colour>>>,
  colours: ChalkInstance,
): string {
  const colour = byWord[word];
  return colour === undefined ? word : colours[colour](word);
}
