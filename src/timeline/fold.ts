import type { Timeline, TimelineSpan } from "../result/timeline-schema.js";

type Folded = NonNullable<TimelineSpan["folded"]>;

/**
 * At most `most` spans (at least one) that tell of all of them, in order of time. First the spans of one name in one
 * iteration become one. Where that is not enough, the first, the last, the failed and the longest stay, and what lies
 * between two of those becomes one. A fold of folds has the figures that a fold of all has.
 */
export function foldedSpans(spans: readonly TimelineSpan[], most: number): readonly TimelineSpan[] {
  if (spans.length <= most) return spans;
  const byIteration = [...Map.groupBy(spans, groupOf).values()].map(foldOf).toSorted((a, b) => a.fromMs - b.fromMs);
  return byIteration.length <= most ? byIteration : between(byIteration, most);
}

/** A timeline whose spans are folded, and whose marks are cut to the first ones. */
export function foldedTimeline(timeline: Timeline, most: { readonly spans: number; readonly marks: number }): Timeline {
  const left = timeline.marks.length - most.marks;
  const moreMarks = (timeline.moreMarks ?? 0) + Math.max(0, left);
  return {
    ...timeline,
    spans: foldedSpans(timeline.spans, most.spans),
    marks: timeline.marks.slice(0, most.marks),
    ...(moreMarks > 0 && { moreMarks }),
  };
}

/** How many spans it stands for. */
export function countOf({ folded }: TimelineSpan): number {
  return folded ? folded.activities + folded.subOrchestrations + folded.timers : 1;
}

/** Suspensions and repeated attempts are few, and tell something each. */
function groupOf({ kind, name, iteration, attempt, fromMs }: TimelineSpan): string {
  const own = kind === "suspended" || kind === "earlierExecutions" ? fromMs : "";
  return JSON.stringify([kind, name, iteration, attempt, own]);
}

function between(spans: readonly TimelineSpan[], most: number): readonly TimelineSpan[] {
  const kept = keptOf(spans, Math.floor((most - 1) / 2));
  const rows: TimelineSpan[] = [];
  let run: TimelineSpan[] = [];
  for (const span of spans) {
    if (!kept.has(span)) {
      run.push(span);
      continue;
    }
    if (run.length > 0) rows.push(foldOf(run));
    rows.push(span);
    run = [];
  }
  return run.length > 0 ? [...rows, foldOf(run)] : rows;
}

/** Around so many there are at most as many runs and one. */
function keptOf(spans: readonly TimelineSpan[], most: number): ReadonlySet<TimelineSpan> {
  const ends = most >= 3 ? [spans[0]!, spans.at(-1)!] : [];
  const notable = spans
    .filter((span) => !ends.includes(span))
    .toSorted((a, b) => Number(hasFailed(b)) - Number(hasFailed(a)) || longest(b) - longest(a));
  return new Set([...ends, ...notable.slice(0, Math.max(0, most - ends.length))]);
}

function hasFailed({ outcome, folded }: TimelineSpan): boolean {
  return outcome === "failed" || (folded?.failed ?? 0) > 0;
}

function longest({ folded, fromMs, toMs }: TimelineSpan): number {
  return folded?.maxMs ?? toMs - fromMs;
}

function foldOf(spans: readonly TimelineSpan[]): TimelineSpan {
  const [first] = spans;
  if (first !== undefined && spans.length === 1) return first;
  const parts = spans.map(foldedPart);
  const folded = parts.reduce(together);
  const iterations = parts.flatMap(({ fromIteration, toIteration }) => [fromIteration, toIteration]).filter(isNumber);
  const [fromIteration, toIteration] = [smallest(iterations), largest(iterations)];
  const name = common(spans.map((span) => span.name));
  const attempt = common(spans.map((span) => span.attempt));
  return {
    kind: common(spans.map((span) => span.kind)) ?? "several",
    ...(name !== undefined && { name }),
    ...(fromIteration !== undefined && fromIteration === toIteration && { iteration: fromIteration }),
    ...(attempt !== undefined && { attempt }),
    outcome: folded.failed > 0 ? "failed" : folded.open > 0 ? "open" : "completed",
    fromMs: smallest(spans.map((span) => span.fromMs)) ?? 0,
    toMs: largest(spans.map((span) => span.toMs)) ?? 0,
    folded: { ...folded, ...(fromIteration !== undefined && { fromIteration, toIteration: toIteration! }) },
  };
}

function foldedPart(span: TimelineSpan): Folded {
  if (span.folded) return span.folded;
  const { kind, outcome, iteration, fromMs, toMs } = span;
  return {
    activities: Number(kind === "activity"),
    subOrchestrations: Number(kind === "subOrchestration"),
    timers: Number(kind === "timer"),
    failed: Number(outcome === "failed"),
    open: Number(outcome === "open"),
    meanMs: toMs - fromMs,
    maxMs: toMs - fromMs,
    ...(iteration !== undefined && { fromIteration: iteration, toIteration: iteration }),
  };
}

/** Two folds as one. Of the mean and the longest, those of activities count where there are any: a timer lasts as long as it was told to. */
export function together(a: Folded, b: Folded): Folded {
  const measured = [a, b].filter(({ activities }) => activities > 0);
  const parts = measured.length > 0 ? measured : [a, b];
  const weightOf = ({ activities, subOrchestrations, timers }: Folded): number =>
    measured.length > 0 ? activities : subOrchestrations + timers;
  const weight = parts.reduce((sum, part) => sum + weightOf(part), 0);
  return {
    activities: a.activities + b.activities,
    subOrchestrations: a.subOrchestrations + b.subOrchestrations,
    timers: a.timers + b.timers,
    failed: a.failed + b.failed,
    open: a.open + b.open,
    ...(weight > 0 && {
      meanMs: parts.reduce((sum, part) => sum + weightOf(part) * (part.meanMs ?? 0), 0) / weight,
      maxMs: largest(parts.map(({ maxMs }) => maxMs ?? 0))!,
    }),
  };
}

function common<T>([first, ...rest]: readonly T[]): T | undefined {
  return rest.every((other) => other === first) ? first : undefined;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

/** Not by spreading: there may be more than the stack has room for. */
function smallest(values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>(
    (least, value) => (least === undefined || value < least ? value : least),
    undefined,
  );
}

function largest(values: readonly number[]): number | undefined {
  return values.reduce<number | undefined>(
    (most, value) => (most === undefined || value > most ? value : most),
    undefined,
  );
}
