import type {
  Caveat,
  ComparedFigure,
  Comparison,
  Finding,
  Plain,
  SideNames,
  UnusableRun,
} from "../result/run-result.js";
import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { formatShare } from "../format/share.js";
import { figureOf } from "../result/figure.js";
import { phaseWord } from "./breakdown-rows.js";
import { oneLine } from "../format/one-line.js";

const LONGEST_VALUE = 60;

/** The result of a comparison: its word, and the rest of the sentence with its leading blank or colon. */
export interface Conclusion {
  readonly word: "Slower" | "Faster" | "No difference shown" | "Run-to-run noise unknown" | "Not judged";
  readonly rest: string;
}

export function conclusionOf(comparison: Comparison): Conclusion {
  const { figures, unusable, noiseThreshold, confidence } = comparison;
  if (unusable.length > 0) return { word: "Not judged", rest: `: every run must complete without failures` };
  if (figures.some(({ finding }) => finding === "run-to-run noise unknown")) {
    const rest = ": each side needs several runs, for example with `run --repeat 5`";
    return { word: "Run-to-run noise unknown", rest };
  }
  const limits = ` beyond ${formatShare(noiseThreshold)} (confidence ${formatShare(confidence)})`;
  const [slower, faster] = [namesOf(figures, "slower"), namesOf(figures, "faster")];
  if (slower !== "")
    return { word: "Slower", rest: `${limits}: ${slower}${faster === "" ? "" : `; faster: ${faster}`}` };

  return faster === ""
    ? { word: "No difference shown", rest: limits }
    : { word: "Faster", rest: `${limits}: ${faster}` };
}

/** Smaller shares of all changes are noise beside the others. */
const LEAST_SHARE = 0.1;
const MOST_MOVED = 4;

/**
 * Which phases moved, such as "the traced orchestrations took 12 ms longer on average: queue +10 ms, return +2 ms".
 * Undefined where no figure differs, or the phases are not known.
 */
export function movedText({ figures, movedPhases }: Comparison): string | undefined {
  const isNews = figures.some(({ finding }) => finding !== "no difference shown" && finding !== "not judged");
  if (!movedPhases || !isNews) return undefined;
  const { baseMs, newMs, phases } = movedPhases;
  const changes = phases.map(({ phase, baseMs: before, newMs: after }) => ({ phase, ms: after - before }));
  const all = changes.reduce((sum, { ms }) => sum + Math.abs(ms), 0);
  const told = changes.filter(({ ms }) => all > 0 && Math.abs(ms) >= LEAST_SHARE * all).slice(0, MOST_MOVED);
  if (told.length === 0) return undefined;
  const parts = told.map(({ phase, ms }) => `${phaseWord(phase)} ${ms < 0 ? "-" : "+"}${formatDuration(Math.abs(ms))}`);
  const change = `${formatDuration(Math.abs(newMs - baseMs))} ${newMs < baseMs ? "less" : "longer"}`;
  return `the traced orchestrations took ${change} on average: ${parts.join(", ")}`;
}

/** The names of the sides: `base` and `new`, unless they have names of their own. */
export function sideNames({ names }: Comparison): SideNames {
  return names ? { base: oneLine(names.base), new: oneLine(names.new) } : { base: "base", new: "new" };
}

/** The headers of the columns of `figureCells`. */
export function figureHeads(comparison: Comparison): readonly [string, ...string[]] {
  const names = sideNames(comparison);
  const { runs, figures } = comparison;
  const intervals = figures.some(({ interval }) => interval) ? ["interval"] : [];
  return ["figure", meanOf(names.base, runs.base), meanOf(names.new, runs.new), "change", ...intervals];
}

export function figureCells({ figure, base, new: after, ratio, interval }: ComparedFigure): readonly string[] {
  const range = interval ? [`${changeText(interval.low)} to ${changeText(interval.high)}`] : [];
  return [figure, figureValueText(figure, base), figureValueText(figure, after), changeText(ratio), ...range];
}

/** `1,596/s -> 1,277/s, -20.0 % (-23.6 % to -16.3 %)` */
export function figureText(compared: ComparedFigure): string {
  const [, base, after, change, interval] = figureCells(compared);
  return `${base} -> ${after}, ${change}${interval === undefined ? "" : ` (${interval})`}`;
}

/** Each field that differs, with its values on both sides. */
export function differenceRows({ differences }: Comparison): readonly (readonly [name: string, values: string])[] {
  return differences.map(({ field, base, new: after }) => [
    oneLine(field),
    `${valuesText(base)} -> ${valuesText(after)}`,
  ]);
}

/** Side, run and reason. */
export function objectionRows(comparison: Comparison, runs: readonly UnusableRun[]): readonly (readonly string[])[] {
  const names = sideNames(comparison);
  return runs.map(({ side, runId, reason }) => [names[side], oneLine(runId), oneLine(reason)]);
}

export function caveatTexts(comparison: Comparison): readonly string[] {
  return comparison.caveats.map((caveat) => caveatText(caveat, sideNames(comparison)));
}

function caveatText(caveat: Caveat, names: SideNames): string {
  if (caveat.kind === "hours-apart") {
    const [first, second] = caveat.first === "base" ? [names.base, names.new] : [names.new, names.base];
    const apart = `${second} was measured ${formatDuration(caveat.gapMs)} after ${first}`;
    return `${apart}: other work on the machine may be the cause; measure both in turn with \`fanout compare --run\``;
  }
  const machines = [caveat.base, caveat.new].map((side) => side.map(oneLine).join(" or "));
  return `the sides ran on unlike machines (${machines.join(" -> ")}): measure both on one with \`fanout compare --run\``;
}

/** `base (mean of 5)` */
function meanOf(side: string, runs: readonly string[]): string {
  return runs.length === 1 ? side : `${side} (mean of ${formatCount(runs.length)})`;
}

/** In the unit of the figure's kind. */
export function figureValueText(figure: string, value: number): string {
  return figureOf(figure)?.kind === "rate" ? formatRate(value) : formatDuration(value);
}

/** `+15.2 %` for a ratio of 1.152. */
function changeText(ratio: number): string {
  const percent = Math.round((ratio - 1) * 1_000) / 10;
  return `${percent > 0 ? "+" : ""}${percent === 0 ? "0" : percent.toFixed(1)} %`;
}

function valuesText(values: readonly Plain[]): string {
  return values.map(valueText).join(" or ");
}

function valueText(value: Plain): string {
  if (value === null) return "none";
  const text = oneLine(typeof value === "string" ? value : JSON.stringify(value));
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}...` : text;
}

function namesOf(figures: readonly ComparedFigure[], finding: Finding): string {
  return figures
    .filter((figure) => figure.finding === finding)
    .map(({ figure }) => figure)
    .join(", ");
}
