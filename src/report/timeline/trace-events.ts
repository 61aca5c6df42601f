import { oneLine } from "../../format/one-line.js";
import type { Timeline, TimelineMark, TimelineSpan } from "../../result/timeline-schema.js";
import { microsecondsSinceEpoch } from "../../timeline/iso-time.js";
import { markText, nameOf } from "./words.js";

/**
 * An event of the Chrome trace event format: `X` lasts, `i` is an instant, `M` names a process or a thread. `ts` and `dur` are
 * microseconds. https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
interface TraceEvent {
  readonly ph: "X" | "i" | "M";
  readonly name: string;
  readonly cat?: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** An instant of its process. */
  readonly s?: "p";
  readonly args: Readonly<Record<string, string | number | boolean>>;
}

/** The thread of an instance itself; its spans have the ones behind it. */
const OWN_THREAD = 0;
const FIRST_LANE = 1;

/**
 * Timelines in the Chrome trace event format, which Perfetto and chrome://tracing open, as JSON text. Each instance is a
 * process. Spans that overlap are on threads of their own, because slices of one thread have to nest. Times are microseconds
 * since the epoch, so that several instances keep their places.
 */
export function traceEventsJson(timelines: readonly Timeline[]): string {
  const events = timelines.flatMap((timeline, index) => eventsOf(timeline, index + 1));
  // One event a line: a file of a hundred megabytes can still be searched.
  return `{"displayTimeUnit":"ms","traceEvents":[\n${events.map((event) => JSON.stringify(event)).join(",\n")}\n]}\n`;
}

function eventsOf(timeline: Timeline, pid: number): readonly TraceEvent[] {
  const { instanceId, name, status, durationMs, ended, spans, marks, failure } = timeline;
  const beginUs = microsecondsSinceEpoch(timeline.startedAt);
  const at = (ms: number): number => beginUs + Math.round(ms * 1_000);
  const lanes = lanesOf(spans);
  const title = `${oneLine(name)} ${oneLine(instanceId)}`;
  return [
    { ph: "M", name: "process_name", pid, tid: OWN_THREAD, ts: 0, args: { name: title } },
    { ph: "M", name: "process_sort_index", pid, tid: OWN_THREAD, ts: 0, args: { sort_index: pid } },
    { ph: "M", name: "thread_name", pid, tid: OWN_THREAD, ts: 0, args: { name: "orchestration" } },
    {
      ph: "X",
      name: oneLine(name),
      cat: "orchestration",
      pid,
      tid: OWN_THREAD,
      ts: at(0),
      dur: Math.round(durationMs * 1_000),
      args: { instanceId, status, ended, ...(failure && { failure: `${failure.type}: ${failure.message}` }) },
    },
    ...marks.map((mark) => markEvent(mark, pid, at)),
    ...spans.flatMap((span, index) => spanEvents(span, { pid, tid: lanes[index]!, at })),
  ];
}

interface Lane {
  readonly pid: number;
  readonly tid: number;
  readonly at: (ms: number) => number;
}

/** A span, and in it what its worker's stamps tell apart. */
function spanEvents(span: TimelineSpan, { pid, tid, at }: Lane): readonly TraceEvent[] {
  const { kind, fromMs, toMs, startedMs, finishedMs, outcome } = span;
  const slice = (name: string, from: number, to: number, args: TraceEvent["args"]): TraceEvent => ({
    ph: "X",
    name,
    cat: kind,
    pid,
    tid,
    ts: at(from),
    dur: at(to) - at(from),
    args,
  });
  const { name, suffix } = nameOf(span);
  const whole = slice(name + suffix, fromMs, toMs, { outcome, ...argumentsOf(span) });
  if (startedMs === undefined || finishedMs === undefined) return [whole];
  return [
    whole,
    slice("queue", fromMs, startedMs, {}),
    slice("execution", startedMs, finishedMs, {}),
    slice("return", finishedMs, toMs, {}),
  ];
}

function argumentsOf({ iteration, attempt, workerId, instanceId, clockBoundMs, failure }: TimelineSpan) {
  return {
    ...(iteration !== undefined && { iteration }),
    ...(attempt !== undefined && { attempt }),
    ...(workerId !== undefined && { workerId }),
    ...(instanceId !== undefined && { instanceId }),
    ...(clockBoundMs !== undefined && { clockBoundMs }),
    ...(failure && { failure: `${failure.type}: ${failure.message}` }),
  };
}

function markEvent(mark: TimelineMark, pid: number, at: Lane["at"]): TraceEvent {
  const { kind, atMs } = mark;
  return { ph: "i", name: markText(mark), cat: kind, pid, tid: OWN_THREAD, ts: at(atMs), s: "p", args: {} };
}

/** For each span, in order of time, the first thread on which nothing is under way. */
function lanesOf(spans: readonly TimelineSpan[]): readonly number[] {
  const free = new FreeLanes();
  return spans.map(({ fromMs, toMs }) => free.take(fromMs, toMs));
}

/** Lanes, and until when they are taken. The lowest free one is taken first, so that few threads are long. */
class FreeLanes {
  /** Ascending by their end. */
  readonly #busy: { readonly lane: number; readonly untilMs: number }[] = [];
  /** Descending. */
  readonly #free: number[] = [];
  #lanes = 0;

  take(fromMs: number, toMs: number): number {
    const ended = placeIn(this.#busy, ({ untilMs }) => untilMs > fromMs);
    for (const { lane } of this.#busy.splice(0, ended)) {
      const at = placeIn(this.#free, (other) => other < lane);
      this.#free.splice(at, 0, lane);
    }
    const lane = this.#free.pop() ?? FIRST_LANE + this.#lanes++;
    const at = placeIn(this.#busy, ({ untilMs }) => untilMs > toMs);
    this.#busy.splice(at, 0, { lane, untilMs: toMs });
    return lane;
  }
}

/** The index of the first item that is behind, in a list where those that are come last. */
function placeIn<T>(list: readonly T[], isBehind: (item: T) => boolean): number {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (isBehind(list[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
