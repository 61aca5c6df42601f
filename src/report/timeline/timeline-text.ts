import type { ChalkInstance } from "chalk";
import { formatDuration } from "../../format/duration.js";
import { oneLine, shortened } from "../../format/one-line.js";
import { flowing, hanging, textWidth } from "../../format/wrap.js";
import type { Timeline, TimelineSpan } from "../../result/timeline-schema.js";
import { foldedSpans } from "../../timeline/fold.js";
import type { TextStyle } from "../text-style.js";
import { endText, factsText, failureText, markText, nameOf, noteTexts, startText } from "./words.js";

/** Rows of all instances of a timeline together; a sub-orchestration has at least so many of its own. */
const MOST_ROWS = 30;
const LEAST_ROWS = 3;
/** In a pipe. */
const WIDTH = 120;
const INDENT = "  ";
const GAP = "  ";
const LEAST_BAR = 12;
/** The part of a line that names may take. */
const NAME_SHARE = 0.38;
const MOST_MARK_ROWS = 4;
const MOST_FAILURES = 5;

type Paint =
  "queue" | "execute" | "return" | "whole" | "timer" | "child" | "suspended" | "earlier" | "fold" | "mark" | "failed";

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

const MEANINGS: Readonly<Record<Paint, string>> = {
  queue: "queue",
  execute: "execution",
  return: "return",
  whole: "asked for until answered",
  timer: "timer",
  child: "sub-orchestration",
  suspended: "suspended",
  earlier: "earlier executions",
  fold: "folded",
  mark: "from outside",
  failed: "failed",
};

/** A line of the picture. */
interface Row {
  readonly depth: number;
  readonly iterations: string;
  readonly name: string;
  readonly suffix: string;
  readonly parts: readonly Part[];
  readonly took: string;
  readonly most: string;
}

/** Milliseconds from the start of the whole timeline. */
interface Part {
  readonly paint: Paint;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The timelines of an instance and of its sub-orchestrations, for a person, without a final newline. On a terminal each line
 * fits its width.
 */
export function timelineText(timelines: readonly Timeline[], style: TextStyle): string {
  const [root] = timelines;
  if (!root) return "";
  const columns = Math.min(style.columns, WIDTH);
  const shown = new Map<Timeline, readonly TimelineSpan[]>();
  const rows = rowsOf(root, timelines, MOST_ROWS, shown);
  const head = flowing([oneLine(root.instanceId), endText(root), `created ${startText(root)}`], GAP, style.columns);
  const facts = hanging("", factsText(root), style.columns).map((line) => style.colours.dim(line));
  return [...head, ...facts, ...picture(rows, root, columns, style.colours), ...notes(shown, rows, style)].join("\n");
}

/** The spans of an instance, each sub-orchestration followed by its own, in at most so many rows. */
function rowsOf(
  timeline: Timeline,
  all: readonly Timeline[],
  most: number,
  shown: Map<Timeline, readonly TimelineSpan[]>,
): readonly Row[] {
  const children = new Map(
    all
      .filter(({ parentInstanceId }) => parentInstanceId === timeline.instanceId)
      .map((child) => [child.instanceId, child]),
  );
  const marks = markRows(timeline);
  const own = children.size === 0 ? most : Math.ceil(most / 2);
  const spans = foldedSpans(timeline.spans, Math.max(LEAST_ROWS, own - marks.length));
  shown.set(timeline, spans);
  const opened = spans.filter(({ instanceId = "" }) => children.has(instanceId)).length;
  const each = Math.floor((most - spans.length - marks.length) / Math.max(1, opened));
  const rows = spans.flatMap((span) => {
    const child = children.get(span.instanceId ?? "");
    const below = child && each >= LEAST_ROWS ? rowsOf(child, all, each, shown) : [];
    return [spanRow(span, timeline), ...below];
  });
  return [...rows, ...marks];
}

function spanRow(span: TimelineSpan, { startMs, depth }: Timeline): Row {
  const { fromMs, toMs, folded } = span;
  const place = (part: Part): Part => ({ ...part, fromMs: part.fromMs + startMs, toMs: part.toMs + startMs });
  return {
    depth,
    ...nameOf(span),
    parts: partsOf(span).map(place),
    took: formatDuration(folded?.meanMs ?? toMs - fromMs),
    most: folded?.maxMs === undefined ? "" : formatDuration(folded.maxMs),
  };
}

function partsOf({ kind, folded, fromMs, toMs, startedMs, finishedMs, outcome }: TimelineSpan): readonly Part[] {
  const end: readonly Part[] = outcome === "failed" ? [{ paint: "failed", fromMs: toMs, toMs }] : [];
  if (startedMs === undefined || finishedMs === undefined)
    return [{ paint: folded ? "fold" : WHOLES[kind], fromMs, toMs }, ...end];
  return [
    { paint: "queue", fromMs, toMs: startedMs },
    { paint: "return", fromMs: finishedMs, toMs },
    { paint: "execute", fromMs: startedMs, toMs: finishedMs },
    ...end,
  ];
}

const WHOLES: Readonly<Record<TimelineSpan["kind"], Paint>> = {
  activity: "whole",
  several: "fold",
  timer: "timer",
  subOrchestration: "child",
  suspended: "suspended",
  earlierExecutions: "earlier",
};

/** What came from outside: a row for each name, or one for all where there are many names. */
function markRows({ marks, depth, startMs }: Timeline): readonly Row[] {
  const byName = Map.groupBy(marks, markText);
  const groups = byName.size > MOST_MARK_ROWS ? [["from outside", marks] as const] : [...byName];
  return groups.map(([name, group]) => ({
    depth,
    iterations: "",
    name,
    suffix: group.length > 1 ? ` ×${group.length}` : "",
    parts: group.map(({ atMs }) => ({ paint: "mark", fromMs: atMs + startMs, toMs: atMs + startMs })),
    took: "",
    most: "",
  }));
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
  const used = new Set(rows.flatMap(({ parts }) => parts.map(({ paint }) => paint)));
  const legend = [...used].map((paint) => `${GLYPHS[paint]} ${MEANINGS[paint]}`);
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

/** The first failures of what was asked for, of those that are told. */
function failureTexts(timelines: readonly Timeline[]): readonly string[] {
  const failed = timelines.flatMap(({ spans }) =>
    spans.flatMap((span) => (span.failure ? `${nameOf(span).name} failed with ${failureText(span.failure)}` : [])),
  );
  return [...new Set(failed)].slice(0, MOST_FAILURES);
}
