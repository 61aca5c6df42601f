import type { ChalkInstance } from "chalk";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { formatShare } from "../format/share.js";
import type { ComparedFigure, Comparison, Finding } from "../stats/comparison.js";
import { figureOf } from "../stats/figure.js";
import type { Difference, Plain } from "../stats/run-differences.js";
import { oneLine } from "../format/one-line.js";

const LONGEST_VALUE = 60;
const COLOURS: Readonly<Partial<Record<Finding, "red" | "green" | "yellow">>> = {
  slower: "red",
  faster: "green",
  "run-to-run noise unknown": "yellow",
  "not judged": "yellow",
};

/** A comparison for a person, without a final newline: what else differs first, the conclusion last. */
export function comparisonText(comparison: Comparison, colours: ChalkInstance): string {
  const sections = [
    differenceLines(comparison.differences, colours),
    unusableLines(comparison, colours),
    figureLines(comparison, colours),
    [conclusion(comparison, colours)],
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join("\n"))
    .join("\n\n");
}

function differenceLines(differences: readonly Difference[], colours: ChalkInstance): readonly string[] {
  if (differences.length === 0) return [];
  const rows = differences.map(({ field, base, new: after }) => ({
    name: oneLine(field),
    values: `${valuesText(base)} -> ${valuesText(after)}`,
  }));
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    `${colours.yellow("The runs differ")} in more than their figures (base -> new)`,
    ...rows.map(({ name, values }) => `  ${colours.dim(name.padEnd(width))}  ${values}`),
  ];
}

function valuesText(values: readonly Plain[]): string {
  return values.map(valueText).join(" or ");
}

function valueText(value: Plain): string {
  if (value === null) return "none";
  const text = oneLine(typeof value === "string" ? value : JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}

function unusableLines({ unusable }: Comparison, colours: ChalkInstance): readonly string[] {
  if (unusable.length === 0) return [];
  return [
    `${colours.red("Cannot be compared")}: ${plural(unusable.length, "run")}`,
    ...unusable.map(({ side, runId, reason }) => `  ${side.padEnd(4)}  ${oneLine(runId)}  ${oneLine(reason)}`),
  ];
}

function figureLines(comparison: Comparison, colours: ChalkInstance): readonly string[] {
  const { figures, leftOut, runs } = comparison;
  const intervals = figures.some(({ interval }) => interval) ? ["interval"] : [];
  const header = ["figure", meanOf("base", runs.base), meanOf("new", runs.new), "change", ...intervals];
  const table = [header, ...figures.map(cellsOf), ...leftOut.map(({ figure }) => [figure])];
  const widths = header.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  const line = ([name = "", ...cells]: readonly string[]) =>
    `  ${[name.padEnd(widths[0]!), ...cells.map((cell, index) => cell.padStart(widths[index + 1]!))].join("  ")}`;
  return [
    colours.dim(line(header)),
    ...figures.map((figure) => `${line(cellsOf(figure))}  ${coloured(figure.finding, colours)}`),
    ...leftOut.map(({ figure, reason }) => `${line([figure])}  ${colours.dim(`left out: ${reason}`)}`),
  ];
}

/** `base (mean of 5)` */
function meanOf(side: string, runs: readonly string[]): string {
  return runs.length === 1 ? side : `${side} (mean of ${formatCount(runs.length)})`;
}

function cellsOf({ figure, base, new: after, ratio, interval }: ComparedFigure): readonly string[] {
  const inWords = figureOf(figure)?.kind === "rate" ? formatRate : formatDuration;
  const range = interval ? [`${changeText(interval.low)} to ${changeText(interval.high)}`] : [];
  return [figure, inWords(base), inWords(after), changeText(ratio), ...range];
}

/** `+15.2 %` for a ratio of 1.152. */
function changeText(ratio: number): string {
  const percent = Math.round((ratio - 1) * 1_000) / 10;
  return `${percent > 0 ? "+" : ""}${percent === 0 ? "0" : percent.toFixed(1)} %`;
}

function conclusion(comparison: Comparison, colours: ChalkInstance): string {
  const { figures, unusable, noiseThreshold, confidence } = comparison;
  if (unusable.length > 0) return `${colours.yellow("Not judged")}: every run has to have gone well`;
  if (figures.some(({ finding }) => finding === "run-to-run noise unknown")) {
    return `${colours.yellow("Run-to-run noise unknown")}: it takes several runs on each side, such as \`run --repeat 5\` makes`;
  }
  const limits = `beyond ${formatShare(noiseThreshold)} (confidence ${formatShare(confidence)})`;
  const [slower, faster] = [namesOf(figures, "slower"), namesOf(figures, "faster")];
  if (slower !== "") {
    const also = faster === "" ? "" : `; faster: ${faster}`;
    return `${colours.red("Slower")} ${limits}: ${slower}${also}`;
  }
  return faster === "" ? `No difference shown ${limits}` : `${colours.green("Faster")} ${limits}: ${faster}`;
}

function namesOf(figures: readonly ComparedFigure[], finding: Finding): string {
  return figures
    .filter((figure) => figure.finding === finding)
    .map(({ figure }) => figure)
    .join(", ");
}

function coloured(finding: Finding, colours: ChalkInstance): string {
  const colour = COLOURS[finding];
  return colour === undefined ? finding : colours[colour](finding);
}
