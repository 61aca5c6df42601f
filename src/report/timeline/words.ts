import { formatCount, plural } from "../../format/count.js";
import { formatDuration } from "../../format/duration.js";
import { oneLine, toldText } from "../../format/one-line.js";
import type { Timeline, TimelineMark, TimelineSpan } from "../../result/timeline-schema.js";
import { countOf, together } from "../../timeline/fold.js";

const MOST_FAILURES = 5;

const KINDS = {
  activity: "activity",
  subOrchestration: "sub-orchestration",
  timer: "timer",
  suspended: "suspended",
  earlierExecutions: "earlier executions",
  several: "",
} as const satisfies Record<TimelineSpan["kind"], string>;

const MARKS = {
  event: "event",
  suspended: "suspended",
  resumed: "resumed",
  terminated: "terminated",
  rewound: "rewound",
  entity: "entity answer",
} as const satisfies Record<TimelineMark["kind"], string>;

/** What a row is of: its name can be shortened, what stands around it not. */
export interface RowName {
  /** The iterations, such as `3` or `3-17`; "" where it has none. */
  readonly iterations: string;
  readonly name: string;
  /** Such as ` ×10` or `, try 2`. */
  readonly suffix: string;
}

export function nameOf(span: TimelineSpan): RowName {
  const { kind, name, iteration, attempt, folded } = span;
  const from = iteration ?? folded?.fromIteration;
  const to = iteration ?? folded?.toIteration;
  const count = countOf(span);
  return {
    iterations: from === undefined ? "" : from === to ? `${from}` : `${from}-${to}`,
    name: (name === undefined ? undefined : oneLine(name)) || (folded ? foldedName(span) : KINDS[kind]),
    suffix: (attempt === undefined ? "" : `, try ${attempt}`) + (count > 1 ? ` ×${formatCount(count)}` : ""),
  };
}

function foldedName({ kind }: TimelineSpan): string {
  return kind === "several" ? "several" : KINDS[kind];
}

/** `12 activities, 1 timer, 2 failed` */
function contentText(folded: NonNullable<TimelineSpan["folded"]>): string {
  return listed([
    [folded.activities, "activity"],
    [folded.subOrchestrations, "sub-orchestration"],
    [folded.timers, "timer"],
  ]).join(", ");
}

/** What an instance is made of, in one line. */
export function factsText({ name, spans, marks, moreMarks = 0, events, episodes }: Timeline): string {
  const total = (of: (span: TimelineSpan) => number): number => spans.reduce((sum, span) => sum + of(span), 0);
  const ofKind = (
    kind: "activity" | "subOrchestration" | "timer",
    key: "activities" | "subOrchestrations" | "timers",
  ) => total((span) => span.folded?.[key] ?? Number(span.kind === kind));
  const external = marks.filter(({ kind }) => kind === "event").length + moreMarks;
  const parts = listed([
    [ofKind("activity", "activities"), "activity"],
    [ofKind("subOrchestration", "subOrchestrations"), "sub-orchestration"],
    [ofKind("timer", "timers"), "timer"],
    [external, "external event"],
    [episodes, "episode"],
    [events, "history event"],
  ]);
  const failed = total((span) => span.folded?.failed ?? Number(span.outcome === "failed"));
  const retried = total((span) => (span.attempt === undefined ? 0 : countOf(span)));
  const marksText = [
    failed > 0 ? `${formatCount(failed)} failed` : "",
    retried > 0 ? `${formatCount(retried)} retried` : "",
  ];
  const last = spans.some(({ kind }) => kind === "earlierExecutions") ? ", since its last continue-as-new" : "";
  return `${oneLine(name)}: ${[...parts, ...marksText].filter((part) => part !== "").join(", ")}${last}`;
}

function listed(counts: readonly (readonly [number, string])[]): readonly string[] {
  return counts.flatMap(([count, noun]) => (count > 0 ? [plural(count, noun)] : []));
}

/** `Completed, took 1.79 s`; `Running, for 12 s so far` */
export function endText({ status, durationMs, ended }: Timeline): string {
  const took = formatDuration(durationMs);
  return ended ? `${oneLine(status)}, took ${took}` : `${oneLine(status)}, for ${took} so far`;
}

/** `2026-11-24 23:09:20Z` */
export function startText({ startedAt }: Timeline): string {
  return oneLine(startedAt)
    .replace("T", " ")
    .replace(/\.\d+Z$/u, "Z");
}

/** What ended an instance or a span, and what is not shown. */
export function noteTexts(timeline: Timeline, shown: readonly TimelineSpan[]): readonly string[] {
  const { failure, missing, spans } = timeline;
  const folds = shown.flatMap(({ folded }) => folded ?? []);
  const bound = spans.reduce((most, { clockBoundMs = 0 }) => Math.max(most, clockBoundMs), 0);
  return [
    ...(failure ? [`failed with ${failureText(failure)}`] : []),
    ...(folds.length > 0 ? [foldText(folds)] : []),
    ...(bound > 0
      ? [`executions began and ended at the times shown within ± ${formatDuration(bound)}, by the workers' clocks`]
      : []),
    ...(missing === undefined ? [] : [`missing: ${oneLine(missing)}`]),
  ];
}

function foldText(folds: readonly NonNullable<TimelineSpan["folded"]>[]): string {
  const all = folds.reduce(together);
  const of = all.activities > 0 && all.subOrchestrations + all.timers > 0 ? "activities: " : "";
  return (
    `${plural(folds.length, "row")} ${folds.length === 1 ? "folds" : "fold"} ${contentText(all)}; ` +
    `${of}${formatDuration(all.meanMs ?? 0)} each on average, at most ${formatDuration(all.maxMs ?? 0)}`
  );
}

function failureText({ type, message }: NonNullable<Timeline["failure"]>): string {
  return toldText(message === "" ? type : `${type}: ${message}`);
}

export function markText({ kind, name }: TimelineMark): string {
  return name === undefined || oneLine(name) === "" ? MARKS[kind] : oneLine(name);
}

/** The first failures of what was asked for, of those that are told. */
export function failureTexts(timelines: readonly Timeline[]): readonly string[] {
  const failed = timelines.flatMap(({ spans }) =>
    spans.flatMap((span) => (span.failure ? `${nameOf(span).name} failed with ${failureText(span.failure)}` : [])),
  );
  return [...new Set(failed)].slice(0, MOST_FAILURES);
}
