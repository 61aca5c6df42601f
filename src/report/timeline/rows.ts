import { formatCount } from "../../format/count.js";
import { formatDuration } from "../../format/duration.js";
import type { Timeline, TimelineSpan } from "../../result/timeline-schema.js";
import { foldedSpans } from "../../timeline/fold.js";
import { markText, nameOf, type RowName } from "./words.js";

/** A sub-orchestration has so many rows of its own, or none. */
const LEAST_ROWS = 3;
const MOST_MARK_ROWS = 4;

/** What a part of a bar means. */
export const PAINT_MEANINGS = {
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
} as const;

export type Paint = keyof typeof PAINT_MEANINGS;

/** The paints of some rows, in the order in which they are explained. */
export function paintsOf(rows: readonly Row[]): readonly Paint[] {
  const used = new Set<string>(rows.flatMap(({ parts }) => parts.map(({ paint }) => paint)));
  return PAINTS.filter((paint) => used.has(paint));
}

const PAINTS = Object.keys(PAINT_MEANINGS) as readonly Paint[];

/** Milliseconds from the start of the whole timeline. A failure and what came from outside are moments. */
export interface Part {
  readonly paint: Paint;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A line of a timeline's picture. */
export interface Row extends RowName {
  readonly depth: number;
  readonly parts: readonly Part[];
  /** How long it took; of a fold, on average. */
  readonly took: string;
  /** The longest of a fold. */
  readonly most: string;
}

interface Picture {
  readonly rows: readonly Row[];
  /** The spans shown of each instance that is shown, folds included. */
  readonly shown: ReadonlyMap<Timeline, readonly TimelineSpan[]>;
}

/** The rows of an instance, each sub-orchestration followed by its own: about `most` of them, what does not fit is folded. */
export function pictureOf(timelines: readonly Timeline[], most: number): Picture {
  const [root] = timelines;
  const children = Map.groupBy(timelines, ({ parentInstanceId }) => parentInstanceId);
  const shown = new Map<Timeline, readonly TimelineSpan[]>();
  return { rows: root ? rowsOf(root, most, { children, shown }) : [], shown };
}

interface Drawing {
  readonly children: ReadonlyMap<string | undefined, readonly Timeline[]>;
  readonly shown: Map<Timeline, readonly TimelineSpan[]>;
}

function rowsOf(timeline: Timeline, most: number, drawing: Drawing): readonly Row[] {
  const below = drawing.children.get(timeline.instanceId) ?? [];
  const children = new Map(below.map((child) => [child.instanceId, child]));
  const marks = markRows(timeline);
  const own = children.size === 0 ? most : Math.ceil(most / 2);
  const spans = foldedSpans(timeline.spans, Math.max(LEAST_ROWS, own - marks.length));
  drawing.shown.set(timeline, spans);
  const opened = spans.filter(({ instanceId = "" }) => children.has(instanceId)).length;
  const each = Math.floor((most - spans.length - marks.length) / Math.max(1, opened));
  const rows = spans.flatMap((span) => {
    const child = children.get(span.instanceId ?? "");
    return [spanRow(span, timeline), ...(child && each >= LEAST_ROWS ? rowsOf(child, each, drawing) : [])];
  });
  return [...rows, ...marks];
}

function spanRow(span: TimelineSpan, { startMs, depth }: Timeline): Row {
  const { fromMs, toMs, folded } = span;
  return {
    depth,
    ...nameOf(span),
    parts: partsOf(span).map((part) => ({ ...part, fromMs: part.fromMs + startMs, toMs: part.toMs + startMs })),
    took: formatDuration(folded?.meanMs ?? toMs - fromMs),
    most: folded?.maxMs === undefined ? "" : formatDuration(folded.maxMs),
  };
}

function partsOf({ kind, folded, fromMs, toMs, startedMs, finishedMs, outcome }: TimelineSpan): readonly Part[] {
  const end: readonly Part[] = outcome === "failed" ? [{ paint: "failed", fromMs: toMs, toMs }] : [];
  if (startedMs === undefined || finishedMs === undefined)
    return [{ paint: folded ? "fold" : WHOLES[kind], fromMs, toMs }, ...end];
  // The execution is drawn last: where a cell has room for one only, it is what counts.
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
    suffix: group.length > 1 ? ` ×${formatCount(group.length)}` : "",
    parts: group.map(({ atMs }) => ({ paint: "mark", fromMs: atMs + startMs, toMs: atMs + startMs })),
    took: "",
    most: "",
  }));
}
