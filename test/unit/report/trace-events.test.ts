import * as fc from "fast-check";
import { expect, test } from "vitest";
import { traceEventsJson } from "../../../src/report/timeline/trace-events.js";
import type { TimelineSpan } from "../../../src/result/timeline-schema.js";
import { timelinesOf } from "../../../src/timeline/timeline.js";
import { BEGIN_US, fanOuts, toldInstance } from "../../support/timeline/told-history.js";

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly args: Readonly<Record<string, unknown>>;
}

function eventsOf(...timelines: Parameters<typeof traceEventsJson>[0]): readonly Event[] {
  return (JSON.parse(traceEventsJson(timelines)) as { traceEvents: readonly Event[] }).traceEvents;
}

const empty = timelinesOf([toldInstance([])], BEGIN_US)[0]!;
const [third, half] = [1 / 3, 1 / 2];
const span: fc.Arbitrary<TimelineSpan> = fc
  .record({ fromMs: fc.nat(500), tookMs: fc.nat(500), isStamped: fc.boolean() })
  .map(({ fromMs, tookMs, isStamped }) => ({
    kind: "activity",
    name: "A",
    outcome: "completed",
    fromMs,
    toMs: fromMs + tookMs,
    ...(isStamped && { startedMs: fromMs + tookMs * third, finishedMs: fromMs + tookMs * half }),
  }));

test("slices of a thread nest, whatever overlaps", () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 30 }), (spans) => {
      const slices = eventsOf({
        ...empty,
        durationMs: 1_000,
        spans: spans.toSorted((a, b) => a.fromMs - b.fromMs),
      }).filter(({ ph }) => ph === "X");
      for (const ofThread of Map.groupBy(slices, ({ pid, tid }) => `${pid} ${tid}`).values()) {
        const ends: number[] = [];
        for (const { ts, dur } of ofThread.toSorted((a, b) => a.ts - b.ts || b.dur - a.dur)) {
          while (ends.length > 0 && ends.at(-1)! <= ts) ends.pop();
          expect(ts + dur).toBeLessThanOrEqual(ends.at(-1) ?? Infinity);
          ends.push(ts + dur);
        }
      }
    }),
  );
});

test("each instance is a process with a name, and times are whole microseconds since the epoch", () => {
  const events = eventsOf(...timelinesOf([fanOuts(3, 4)], 0), empty);
  expect(events.filter(({ name }) => name === "process_name").map(({ pid, args }) => [pid, args])).toEqual([
    [1, { name: "Order order-17" }],
    [2, { name: "Order order-17" }],
  ]);
  expect(events.find(({ name }) => name === "Order")).toMatchObject({ ph: "X", tid: 0, ts: BEGIN_US, dur: 41_000 });
  const activities = events.filter(({ name }) => name === "Charge");
  expect(activities[0]).toMatchObject({ pid: 1, tid: 1, ts: BEGIN_US + 1_000, dur: 10_000, args: { iteration: 0 } });
  // Four at once need four threads, and the next iteration has the same ones.
  expect(new Set(activities.map(({ tid }) => tid))).toEqual(new Set([1, 2, 3, 4]));
});
