import type { ChalkInstance } from "chalk";
import { formatDuration } from "../../format/duration.js";
import { oneLine, shortened } from "../../format/one-line.js";
import { flowing, hanging, textWidth } from "../../format/wrap.js";
import type { Timeline, TimelineSpan } from "../../result/timeline-schema.js";
import type { TextStyle } from "../text-style.js";
import { PAINT_MEANINGS, paintsOf, pictureOf, type Paint, type Part, type Row } from "./rows.js";
import { endText, factsText, failureTexts, noteTexts, startText } from "./words.js";

/** Of all instances of a timeline together. */
const MOST_ROWS = 30;
/** In a pipe. */
const WIDTH = 120;
const INDENT = "  ";
const GAP = "  ";
const LEAST_BAR = 12;
/** The part of a line that names may take. */
const NAME_SHARE = 0.38;

/** How each part of a bar is drawn: told apart without colours too. */
const GLYPHS: Readonly<Record<Paint, string>> = {
  queue: "░",
  execute: "█",
  return: "▒",
  whole: "▓",
  timer: "·",
  child: "═",
  suspended: "~",
  earlier: "-",
  fold: "▄",
  mark: "◆",
  failed: "✕",
};

/**
 * The timelines of an instance and of its sub-orchestrations, for a person, without a final newline. On a terminal each line
 * fits its width.
 */
export function timelineText(timelines: readonly Timeline[], style: TextStyle): string {
  const [root] = timelines;
  if (!root) return "";
  const columns = Math.min(style.columns, WIDTH);
  const { rows, shown } = pictureOf(timelines, MOST_ROWS);
  const head = flowing([oneLine(root.instanceId), endText(root), `created ${startText(root)}`], GAP, style.columns);
  const facts = hanging("", factsText(root), style.columns).map((line) => style.colours.dim(line));
  return [...head, ...facts, ...picture(rows, root, columns, style.colours), ...notes(shown, rows, style)].join("\n");
}

function picture(rows: readonly Row[], { durationMs }: Timeline, columns: number, colours: ChalkInstance) {
  if (rows.length === 0) return [];
  const gutter = rows.reduce((most, { iterations }) => Math.max(most, iterations.length), 0);
  const took = rows.reduce((most, row) => Math.max(most, row.took.length), 0);
  const most = rows.reduce((widest, row) => Math.max(widest, row.most.length), 0);
  const figures = took + (most > 0 ? most + GAP.length : 0);
  const lead = gutter > 0 ? gutter + GAP.length : 0;
  const wanted = rows.reduce((widest, row) => Math.max(widest, textWidth(labelOf(row, Infinity))), 0);
  const label = Math.min(wanted, Math.floor(columns * NAME_SHARE) - lead);
  const bar = Math.max(LEAST_BAR, columns - lead - label - figures - 2 * GAP.length);
  const lines = rows.map((row) => {
    const name = labelOf(row, label);
    return (
      colours.dim(row.iterations.padStart(gutter)) +
      (gutter > 0 ? GAP : "") +
      name +
      " ".repeat(Math.max(0, label - textWidth(name))) +
      GAP +
      barOf(row.parts, durationMs, bar, colours) +
      GAP +
      row.took.padStart(took) +
      (most > 0 ? GAP + colours.dim(row.most.padStart(most)) : "")
    ).trimEnd();
  });
  const heads = most > 0 ? `${GAP}${"mean".padStart(took)}${GAP}${"max".padStart(most)}` : "";
  const axis = `${" ".repeat(lead + label)}${GAP}${axisOf(durationMs, bar)}${heads}`;
  return [colours.dim(axis.trimEnd()), ...lines];
}

/** The name is cut where there is no room; what counts is not. */
function labelOf({ depth, name, suffix }: Row, width: number): string {
  const indent = INDENT.repeat(depth);
  const room = Math.max(1, width - indent.length - textWidth(suffix));
  if (textWidth(name) <= room) return indent + name + suffix;
  return indent + shortened(name, Math.max(0, room - 1)) + suffix;
}

/** `0        450 ms        900 ms`: the last one ends where the bar does. */
function axisOf(durationMs: number, width: number): string {
  const end = formatDuration(durationMs);
  const middle = formatDuration(durationMs / 2);
  const at = Math.floor(width / 2);
  const left = width >= 3 * (middle.length + end.length) ? `0${" ".repeat(at - 1)}${middle}` : "0";
  return left + end.padStart(width - left.length);
}

function barOf(parts: readonly Part[], durationMs: number, width: number, colours: ChalkInstance): string {
  const cells = Array.from<Paint | undefined>({ length: width });
  const shareOf = (ms: number): number => (durationMs > 0 ? Math.min(1, ms / durationMs) * width : 0);
  for (const { paint, fromMs, toMs } of parts) {
    const to = Math.max(1, Math.ceil(shareOf(toMs)));
    // A failure is the last cell of what failed.
    const from = paint === "failed" ? to - 1 : Math.min(width - 1, Math.floor(shareOf(fromMs)));
    cells.fill(paint, from, Math.max(from + 1, to));
  }
  return cells.map((paint) => (paint === undefined ? " " : painter(paint, colours)(GLYPHS[paint]))).join("");
}

function painter(paint: Paint, { cyan, dim, red, yellow, magenta, blue }: ChalkInstance): (text: string) => string {
  switch (paint) {
    case "execute":
    case "whole":
    case "fold":
      return cyan;
    case "failed":
      return red;
    case "suspended":
      return yellow;
    case "child":
      return blue;
    case "mark":
      return magenta;
    default:
      return dim;
  }
}

/** What the glyphs mean, what failed, what is folded and what is missing. */
function notes(
  shown: ReadonlyMap<Timeline, readonly TimelineSpan[]>,
  rows: readonly Row[],
  { colours, columns }: TextStyle,
): readonly string[] {
  const legend = paintsOf(rows).map((paint) => `${GLYPHS[paint]} ${PAINT_MEANINGS[paint]}`);
  const texts = [...shown].flatMap(([timeline, spans]) => {
    const lead = timeline.depth === 0 ? "" : `${oneLine(timeline.instanceId)}: `;
    return noteTexts(timeline, spans).map((text) => lead + text);
  });
  const failures = failureTexts([...shown.keys()]);
  return [
    ...flowing(legend, GAP, columns).map((line) => colours.dim(line)),
    ...failures.flatMap((text) => hanging("", colours.red(text), columns)),
    ...texts.flatMap((text) => hanging("", text, columns)),
  ];
}
