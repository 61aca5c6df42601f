import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { expect, test } from "vitest";
import { spansOf } from "../../../src/otlp/spans.js";
import type { Timeline } from "../../../src/result/timeline-schema.js";

const RESOURCE = resourceFromAttributes({});

const ORDER: Timeline = {
  instanceId: "order-17",
  depth: 0,
  name: "Order",
  status: "Failed",
  startedAt: "2030-01-01T00:00:00.000001Z",
  startMs: 0,
  durationMs: 100,
  ended: true,
  events: 9,
  episodes: 2,
  spans: [
    {
      kind: "activity",
      name: "Charge",
      iteration: 0,
      outcome: "failed",
      fromMs: 1,
      toMs: 20.5,
      startedMs: 5,
      finishedMs: 15,
      workerId: "w1",
      failure: { type: "CardError", message: "declined\nby the bank" },
    },
    { kind: "timer", outcome: "completed", fromMs: 21, toMs: 30 },
    { kind: "subOrchestration", name: "Ship", outcome: "completed", fromMs: 30, toMs: 90, instanceId: "ship-1" },
  ],
  marks: [{ kind: "event", name: "Approved", atMs: 40 }],
  failure: { type: "OrderError", message: "not paid" },
};

const SHIP: Timeline = {
  ...ORDER,
  instanceId: "ship-1",
  parentInstanceId: "order-17",
  depth: 1,
  name: "Ship",
  status: "Completed",
  startedAt: "2030-01-01T00:00:00.032001Z",
  durationMs: 50,
  spans: [],
  marks: [],
};
const { failure: _failure, ...COMPLETED_SHIP } = SHIP;

test("an orchestration is one trace, and a sub-orchestration is below the span that waits for it", () => {
  const spans = spansOf([ORDER, COMPLETED_SHIP], RESOURCE);
  const ids = spans.map((span) => span.spanContext().spanId);
  expect(new Set(ids).size).toBe(spans.length);
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  const tree = spans.map(({ name, kind, parentSpanContext }) => [
    name,
    SpanKind[kind],
    spans[ids.indexOf(parentSpanContext?.spanId ?? "")]?.name,
  ]);
  expect(tree).toEqual([
    ["orchestration:Order", "SERVER", undefined],
    ["activity:Charge", "CLIENT", "orchestration:Order"],
    ["activity:Charge", "SERVER", "activity:Charge"],
    ["orchestration:Order:timer", "INTERNAL", "orchestration:Order"],
    ["orchestration:Ship", "CLIENT", "orchestration:Order"],
    ["orchestration:Ship", "SERVER", "orchestration:Ship"],
  ]);
});

test("times are exact to the microsecond, and a failure is a status", () => {
  const [root, charge, execution] = spansOf([ORDER], RESOURCE);
  expect(root).toMatchObject({
    startTime: [1_893_456_000, 1_000],
    endTime: [1_893_456_000, 100_001_000],
    status: { code: SpanStatusCode.ERROR, message: "OrderError: not paid" },
    attributes: { "durabletask.task.instance_id": "order-17", "durabletask.task.status": "Failed" },
    events: [{ name: "event", time: [1_893_456_000, 40_001_000] }],
  });
  expect(charge).toMatchObject({
    startTime: [1_893_456_000, 1_001_000],
    endTime: [1_893_456_000, 20_501_000],
    status: { code: SpanStatusCode.ERROR, message: "CardError: declined by the bank" },
  });
  expect(execution).toMatchObject({
    startTime: [1_893_456_000, 5_001_000],
    endTime: [1_893_456_000, 15_001_000],
    attributes: { "fanout.worker.id": "w1" },
  });
});

test("a trace that is made twice has the same ids, and nothing makes no trace", () => {
  const idsOf = (): readonly unknown[] => spansOf([ORDER], RESOURCE).map((span) => span.spanContext());
  expect(idsOf()).toEqual(idsOf());
  expect(spansOf([], RESOURCE)).toEqual([]);
});
