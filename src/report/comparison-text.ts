import type { Comparison, Finding } from "../result/run-result.js";
import type { ChalkInstance } from "chalk";
import { plural } from "../format/count.js";
import { flowing, hanging, wrapped } from "../format/wrap.js";
import {
  caveatTexts,
  conclusionOf,
  differenceRows,
  figureCells,
  figureHeads,
  movedText,
  objectionRows,
  sideNames,
  type Conclusion,
} from "./comparison-rows.js";
import { tableLines } from "./table-text.js";
import type { TextStyle } from "./text-style.js";

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

/** A comparison for a person, without a final newline. Other differences come first, the conclusion last. */
export function comparisonText(comparison: Comparison, style: TextStyle): string {
  const { colours, columns } = style;
  const { unusable, dropped } = comparison;
  const sections = [
    caveatTexts(comparison).flatMap((text) => wrapped(`${colours.yellow("Take care")}: ${text}`, columns)),
    differenceLines(comparison, style),
    objectionLines(comparison, unusable, colours.red("Cannot be compared"), style),
    objectionLines(comparison, dropped, colours.yellow("Left out"), style),
    figureLines(comparison, style),
    movedLines(comparison, style),
    conclusionLines(comparison, style),
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

/** Several candidates against one base, each with its own heading and conclusion. */
export function comparisonsText(comparisons: readonly Comparison[], style: TextStyle): string {
  const headings = comparisons.length > 1;
  return comparisons
    .map((comparison) => {
      const { base, new: fresh } = sideNames(comparison);
      const heading = wrapped(style.colours.bold(`${fresh} against ${base}`), style.columns).join("\n");
      return (headings ? `${heading}\n\n` : "") + comparisonText(comparison, style);
    })
    .join("\n\n");
}

function differenceLines(comparison: Comparison, { colours, columns }: TextStyle): readonly string[] {
  const rows = differenceRows(comparison);
  if (rows.length === 0) return [];
  const names = sideNames(comparison);
  const width = Math.max(...rows.map(([name]) => name.length));
  const title = `${colours.yellow("The runs differ")} in more than their figures (${names.base} -> ${names.new})`;
  return [
    ...wrapped(title, columns),
    ...rows.flatMap(([name, values]) => hanging(`  ${colours.dim(name.padEnd(width))}  `, values, columns)),
  ];
}

function objectionLines(
  comparison: Comparison,
  runs: Comparison["unusable"],
  title: string,
  { columns }: TextStyle,
): readonly string[] {
  if (runs.length === 0) return [];
  const names = sideNames(comparison);
  const width = Math.max(names.base.length, names.new.length);
  const rows = objectionRows(comparison, runs);
  return [
    `${title}: ${plural(runs.length, "run")}`,
    ...rows.flatMap(([side = "", ...cells]) => flowing([`  ${side.padEnd(width)}`, ...cells], "  ", columns)),
  ];
}

function figureLines(comparison: Comparison, style: TextStyle): readonly string[] {
  const { figures, leftOut } = comparison;
  const rows = [
    ...figures.map((figure) => {
      const [name = "", ...cells] = figureCells(figure);
      return { name, cells, remark: coloured(figure.finding, FINDINGS, style.colours) };
    }),
    ...leftOut.map(({ figure, reason }) => ({
      name: figure,
      cells: [],
      remark: style.colours.dim(`left out: ${reason}`),
    })),
  ];
  return tableLines({ heads: figureHeads(comparison), rows }, style);
}

function movedLines(comparison: Comparison, { columns }: TextStyle): readonly string[] {
  const text = movedText(comparison);
  return text === undefined ? [] : hanging("  ", text, columns);
}

function conclusionLines(comparison: Comparison, { colours, columns }: TextStyle): readonly string[] {
  const { word, rest } = conclusionOf(comparison);
  return wrapped(coloured(word, CONCLUSIONS, colours) + rest, columns);
}

function coloured<Word extends string>(
  word: Word,
  byWord: Readonly<Partial<Record<Word, Colour>>>,
  colours: ChalkInstance,
): string {
  const colour = byWord[word];
  return colour === undefined ? word : colours[colour](word);
}
