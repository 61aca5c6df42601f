import { createHash } from "node:crypto";
import {
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Attributes,
  type HrTime,
  type SpanContext,
} from "@opentelemetry/api";
import type { Resource } from "@opentelemetry/resources";
import type { ReadableSpan } from "@opentelemetry/sdk-trace";
import { oneLine } from "../format/one-line.js";
import type { Timeline, TimelineMark, TimelineSpan } from "../result/timeline-schema.js";
import { microsecondsSinceEpoch } from "../timeline/iso-time.js";
import { SCOPE } from "./resource.js";

const TRACE_ID_DIGITS = 32;
const SPAN_ID_DIGITS = 16;

/**
 * An orchestration and its sub-orchestrations as one trace. Names, kinds and attributes `durabletask.*` are those of the
 * Durable Task SDKs. Times are those of the backend's clock. Ids follow from the ids of the instances, so that a trace that
 * is sent twice stays one. Pure: timelines in, spans out.
 */
export function spansOf(timelines: readonly Timeline[], resource: Resource): readonly ReadableSpan[] {
  const [root] = timelines;
  if (root === undefined) return [];
  const trace = new Trace(digits(TRACE_ID_DIGITS, root.instanceId), resource);
  for (const timeline of timelines) trace.add(timeline);
  return trace.spans;
}

interface SpanFacts {
  readonly context: SpanContext;
  readonly parent: SpanContext | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly fromUs: number;
  readonly toUs: number;
  readonly attributes: Attributes;
  readonly failed?: string | undefined;
  readonly events?: ReadableSpan["events"];
}

class Trace {
  readonly spans: ReadableSpan[] = [];
  /** By the id of a sub-orchestration, the span of its parent that waits for it. */
  readonly #callers = new Map<string, SpanContext>();

  constructor(
    readonly traceId: string,
    readonly resource: Resource,
  ) {}

  add(timeline: Timeline): void {
    const { instanceId, parentInstanceId, name, status, startedAt, durationMs, spans, marks, failure } = timeline;
    const beginUs = microsecondsSinceEpoch(startedAt);
    const at = (ms: number): number => beginUs + Math.round(ms * 1_000);
    const context = this.#context(instanceId);
    const parent = parentInstanceId === undefined ? undefined : this.#context(parentInstanceId);
    this.#push({
      context,
      parent: this.#callers.get(instanceId) ?? parent,
      name: `orchestration:${oneLine(name)}`,
      kind: SpanKind.SERVER,
      fromUs: at(0),
      toUs: at(durationMs),
      attributes: {
        "durabletask.type": "orchestration",
        "durabletask.task.name": name,
        "durabletask.task.instance_id": instanceId,
        "durabletask.task.status": status,
        "fanout.episodes": timeline.episodes,
      },
      failed: failure ? failureText(failure) : status === "Failed" ? status : undefined,
      events: marks.map((mark) => eventOf(mark, at)),
    });
    for (const [index, span] of spans.entries()) this.#addSpan(timeline, span, { index, parent: context, at });
  }

  #addSpan({ instanceId, name }: Timeline, span: TimelineSpan, { index, parent, at }: Place): void {
    const { fromMs, toMs, startedMs, finishedMs, outcome, failure, workerId } = span;
    const context = this.#context(instanceId, index);
    if (span.instanceId !== undefined) this.#callers.set(span.instanceId, context);
    const failed = failure ? failureText(failure) : outcome === "failed" ? outcome : undefined;
    const facts = { name: spanName(span, name), failed };
    const isCall = span.kind === "activity" || span.kind === "subOrchestration";
    const kind = isCall ? SpanKind.CLIENT : SpanKind.INTERNAL;
    this.#push({
      ...facts,
      context,
      parent,
      kind,
      fromUs: at(fromMs),
      toUs: at(toMs),
      attributes: attributesOf(span, instanceId),
    });
    if (startedMs === undefined || finishedMs === undefined) return;
    this.#push({
      ...facts,
      context: this.#context(instanceId, index, "execution"),
      parent: context,
      kind: SpanKind.SERVER,
      fromUs: at(startedMs),
      toUs: at(finishedMs),
      attributes: {
        ...typeOf(span, instanceId),
        ...(workerId !== undefined && { "fanout.worker.id": workerId }),
        ...(span.clockBoundMs !== undefined && { "fanout.clock.bound": span.clockBoundMs / 1_000 }),
      },
    });
  }

  #context(...place: readonly (string | number)[]): SpanContext {
    return {
      traceId: this.traceId,
      spanId: digits(SPAN_ID_DIGITS, JSON.stringify(place)),
      traceFlags: TraceFlags.SAMPLED,
    };
  }

  #push({ context, parent, name, kind, fromUs, toUs, attributes, failed, events = [] }: SpanFacts): void {
    this.spans.push({
      name,
      kind,
      spanContext: () => context,
      ...(parent && { parentSpanContext: parent }),
      startTime: hrTime(fromUs),
      endTime: hrTime(toUs),
      duration: hrTime(toUs - fromUs),
      status: failed === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: failed },
      attributes,
      links: [],
      events,
      ended: true,
      resource: this.resource,
      instrumentationScope: SCOPE,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    });
  }
}

interface Place {
  readonly index: number;
  readonly parent: SpanContext;
  readonly at: (ms: number) => number;
}

function spanName({ kind, name = "" }: TimelineSpan, orchestration: string): string {
  switch (kind) {
    case "activity":
      return `activity:${oneLine(name)}`;
    case "subOrchestration":
      return `orchestration:${oneLine(name)}`;
    case "timer":
      return `orchestration:${oneLine(orchestration)}:timer`;
    default:
      return `orchestration:${oneLine(orchestration)}:${kind}`;
  }
}

function attributesOf(span: TimelineSpan, instanceId: string): Attributes {
  const { outcome, iteration, attempt, folded } = span;
  return {
    ...typeOf(span, instanceId),
    "fanout.outcome": outcome,
    ...(iteration !== undefined && { "fanout.iteration": iteration }),
    ...(attempt !== undefined && { "fanout.attempt": attempt }),
    ...(folded && {
      "fanout.folded.activities": folded.activities,
      "fanout.folded.sub_orchestrations": folded.subOrchestrations,
      "fanout.folded.timers": folded.timers,
      "fanout.folded.failed": folded.failed,
    }),
  };
}

const TYPES = { activity: "activity", subOrchestration: "orchestration", timer: "timer" } as const;

/** A sub-orchestration is named by its own instance. */
function typeOf({ kind, name, instanceId: own }: TimelineSpan, instanceId: string): Attributes {
  const type = kind in TYPES ? TYPES[kind as keyof typeof TYPES] : undefined;
  return {
    ...(type !== undefined && { "durabletask.type": type }),
    ...(name !== undefined && { "durabletask.task.name": name }),
    "durabletask.task.instance_id": own ?? instanceId,
  };
}

function eventOf({ kind, name, atMs }: TimelineMark, at: Place["at"]): ReadableSpan["events"][number] {
  return { name: kind, time: hrTime(at(atMs)), attributes: name === undefined ? {} : { "fanout.event.name": name } };
}

function failureText({ type, message }: { readonly type: string; readonly message: string }): string {
  return oneLine(`${type}: ${message}`);
}

/** An id is random bytes, and so is a hash. */
function digits(count: number, text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, count);
}

/** Of microseconds. */
function hrTime(us: number): HrTime {
  const seconds = Math.floor(us / 1e6);
  return [seconds, (us - seconds * 1e6) * 1_000];
}
