import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SeriesOptions } from "../../../src/stats/interval-tally.js";
import type { Interval } from "../../../src/result/run-result.js";
import { Series } from "../../../src/stats/series.js";
import { bucketOf, SparseHistogram } from "../../../src/stats/sparse-histogram.js";

const OPTIONS: SeriesOptions = {
  until: { response: "noticed", service: "noticed" },
  hasResponse: true,
  hasActivities: true,
  hasActions: true,
  furtherActions: 0,
};

type Event =
  | { readonly kind: "offered" | "start" | "reconnect"; readonly atMs: number }
  | { readonly kind: "end"; readonly atMs: number; readonly outcome: "completed" | "failed" | "terminated" }
  | { readonly kind: "activities"; readonly atMs: number; readonly count: number }
  | { readonly kind: "rpcError"; readonly atMs: number; readonly status: string; readonly count: number }
  | { readonly kind: "latency"; readonly atMs: number; readonly name: "response" | "service"; readonly ms: number };

function add(series: Series, event: Event): void {
  if (event.kind === "latency") series.addLatency(event.name, "noticed", event.atMs, event.ms);
  else if (event.kind === "end") series.addEnd(event.atMs, event.outcome);
  else if (event.kind === "activities") series.addActivities(event.atMs, event.count);
  else if (event.kind === "rpcError") series.addRpcError(event.atMs, event.status, event.count);
  else if (event.kind === "offered") series.addOffered(event.atMs);
  else if (event.kind === "start") series.addStart(event.atMs);
  else series.addReconnect(event.atMs);
}

function seriesOf(events: readonly Event[], mostIntervals?: number): Series {
  const series = new Series(mostIntervals);
  for (const event of events) add(series, event);
  return series;
}

const END_MS = 100_000;
const atMs = fc.double({ min: -100, max: END_MS, noNaN: true });
const count = fc.integer({ min: 1, max: 50 });
const events: fc.Arbitrary<readonly Event[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constantFrom("offered", "start", "reconnect"), atMs }),
    fc.record({ kind: fc.constant("end"), atMs, outcome: fc.constantFrom("completed", "failed", "terminated") }),
    fc.record({ kind: fc.constant("activities"), atMs, count }),
    fc.record({ kind: fc.constant("rpcError"), atMs, status: fc.constantFrom("UNAVAILABLE", "INTERNAL"), count }),
    fc.record({
      kind: fc.constant("latency"),
      atMs,
      name: fc.constantFrom("response", "service"),
      ms: fc.double({ min: 0, max: 60_000, noNaN: true }),
    }),
  ) as fc.Arbitrary<Event>,
  { maxLength: 100 },
);

function totals(intervals: readonly Interval[]) {
  const sum = (of: (interval: Interval) => number | undefined): number =>
    intervals.reduce((total, interval) => total + (of(interval) ?? 0), 0);
  const whole = (name: "response" | "service"): readonly number[] => {
    const all = new SparseHistogram();
    for (const { [name]: latency } of intervals)
      if (latency) all.merge(SparseHistogram.fromBuckets(latency.buckets, latency.max));

    return [all.count, all.maxMs, ...all.buckets()];
  };
  return {
    offered: sum(({ offered }) => offered),
    started: sum(({ started }) => started),
    completed: sum(({ completed }) => completed),
    failed: sum(({ failed }) => failed),
    activities: sum(({ activities }) => activities),
    reconnects: sum(({ reconnects }) => reconnects),
    unavailable: sum(({ rpcErrors }) => rpcErrors?.["UNAVAILABLE"]),
    internal: sum(({ rpcErrors }) => rpcErrors?.["INTERNAL"]),
    response: whole("response"),
    service: whole("service"),
  };
}

function expected(events: readonly Event[]) {
  const times = (is: (event: Event) => boolean): number => events.filter(is).length;
  const errors = (status: string): number =>
    events.reduce((sum, event) => sum + (event.kind === "rpcError" && event.status === status ? event.count : 0), 0);
  const whole = (name: string): readonly number[] => {
    const all = new SparseHistogram();
    for (const event of events) if (event.kind === "latency" && event.name === name) all.add(event.ms);
    return [all.count, all.maxMs, ...all.buckets()];
  };
  return {
    offered: times(({ kind }) => kind === "offered"),
    started: times(({ kind }) => kind === "start"),
    completed: times((event) => event.kind === "end" && event.outcome === "completed"),
    failed: times((event) => event.kind === "end" && event.outcome !== "completed"),
    activities: events.reduce((sum, event) => sum + (event.kind === "activities" ? event.count : 0), 0),
    reconnects: times(({ kind }) => kind === "reconnect"),
    unavailable: errors("UNAVAILABLE"),
    internal: errors("INTERNAL"),
    response: whole("response"),
    service: whole("service"),
  };
}

describe("a series after any events and any number of doublings", () => {
  const most = fc.integer({ min: 1, max: 200 });
  const end = fc.double({ min: 1, max: 2 * END_MS, noNaN: true });

  test("adds up to all of its events", () => {
    fc.assert(
      fc.property(events, most, end, (events, most, endMs) => {
        expect(totals(seriesOf(events, most).close(endMs, OPTIONS))).toEqual(expected(events));
      }),
    );
  });

  test("does not depend on the order of its events", () => {
    fc.assert(
      fc.property(events, fc.infiniteStream(fc.nat()), most, end, (events, keys, most, endMs) => {
        const shuffled = events
          .map((event) => ({ event, key: keys.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        const [one, other] = [events, shuffled].map((events) => seriesOf(events, most).close(endMs, OPTIONS));
        expect(other).toEqual(one);
      }),
    );
  });

  test("is consecutive intervals of one width from 0 to the end, no more than it may have", () => {
    fc.assert(
      fc.property(events, most, end, (events, most, endMs) => {
        const intervals = seriesOf(events, most).close(endMs, OPTIONS);
        expect(intervals.length).toBeLessThanOrEqual(most);
        const doublings = Math.log2(intervals.length > 1 ? intervals[1]!.fromMs / 1_000 : 1);
        expect(Number.isInteger(doublings) && doublings >= 0).toBe(true);
        let nextMs = 0;
        for (const [index, { fromMs, lengthMs }] of intervals.entries()) {
          expect(fromMs).toBe(nextMs);
          expect(lengthMs).toBeGreaterThan(0);
          if (index > 0) expect(lengthMs).toBeLessThanOrEqual(intervals[0]!.lengthMs);
          if (index < intervals.length - 1) expect(lengthMs).toBe(intervals[0]!.lengthMs);
          nextMs = fromMs + lengthMs;
        }
        expect(nextMs).toBeCloseTo(endMs, 6);
      }),
    );
  });

  test("has all that had started and not ended in flight at the end of an interval, and never less than nothing", () => {
    fc.assert(
      fc.property(events, most, (events, most) => {
        let balance = 0;
        for (const { started, completed, failed, inFlight } of seriesOf(events, most).close(END_MS, OPTIONS)) {
          balance += started - completed - failed;
          expect(inFlight).toBe(Math.max(0, balance));
        }
      }),
    );
  });
});

describe("a series", () => {
  test("puts each event into its second, one of before the start into the first and one of after the end into the last", () => {
    const series = new Series();
    for (const atMs of [-5, 0, 999.9, 1_000, 2_000, 2_500, 9_999]) series.addStart(atMs);
    series.addEnd(1_500, "completed");
    const intervals = series.close(2_500, OPTIONS);
    expect(intervals.map(({ fromMs, lengthMs, started, inFlight }) => [fromMs, lengthMs, started, inFlight])).toEqual([
      [0, 1_000, 3, 3],
      [1_000, 1_000, 1, 3],
      [2_000, 500, 3, 6],
    ]);
  });

  test("has no interval beyond an end on its boundary, and none at all of a run without length", () => {
    const series = new Series();
    series.addStart(2_000);
    expect(series.close(2_000, OPTIONS).map(({ started }) => started)).toEqual([0, 1]);
    expect(new Series().close(0, OPTIONS)).toEqual([]);
  });

  test("is at most 3,600 intervals, doubled only when there is more to tell", () => {
    const series = new Series();
    series.addStart(3_599_999);
    expect(series.close(3_600_000, OPTIONS)).toHaveLength(3_600);
    series.addStart(3_600_000);
    const intervals = series.close(3_600_001, OPTIONS);
    expect(intervals).toHaveLength(1_801);
    expect(intervals.at(-1)).toMatchObject({ fromMs: 3_600_000, lengthMs: 1, started: 1, inFlight: 2 });
    expect(intervals.at(-2)).toMatchObject({ fromMs: 3_598_000, lengthMs: 2_000, started: 1, inFlight: 1 });
  });

  test("doubles for a late end without events", () => {
    expect(new Series(4).close(9_000, OPTIONS).map(({ lengthMs }) => lengthMs)).toEqual([4_000, 4_000, 1_000]);
  });

  test("doubles for what happens right at the end of the last interval that it may have", () => {
    const series = new Series(4);
    series.addStart(4_000);
    expect(series.close(4_000, OPTIONS).map(({ started }) => started)).toEqual([0, 1]);
  });

  test("refuses a time that is not a number", () => {
    expect(() => new Series().addStart(Number.NaN)).toThrow(RangeError);
    expect(() => new Series().addStart(Number.POSITIVE_INFINITY)).toThrow("got Infinity");
  });

  test("counts actions as a Scheduler bills them: starts, furtherActions and two for each activity", () => {
    const series = new Series();
    series.addStart(0);
    series.addStart(0);
    series.addActivities(1, 7);
    series.addEnd(2, "completed");
    series.addEnd(3, "terminated");
    expect(series.close(10, { ...OPTIONS, furtherActions: 3 })).toMatchObject([{ activities: 7, actions: 2 + 14 + 3 }]);
  });

  test("leaves out unknown and zero figures", () => {
    const series = new Series();
    series.addOffered(0);
    series.addLatency("response", "noticed", 0, 5);
    const [interval] = series.close(10, { ...OPTIONS, hasResponse: false, hasActivities: false, hasActions: false });
    expect(interval).toEqual({
      fromMs: 0,
      lengthMs: 10,
      offered: 1,
      started: 0,
      completed: 0,
      failed: 0,
      inFlight: 0,
    });
  });

  test("has each latency with the end that was chosen, of when the start was due", () => {
    const series = new Series();
    series.addLatency("response", "noticed", 1_500, 30);
    series.addLatency("response", "completed", 1_500, 20);
    series.addLatency("service", "noticed", 1_500, 10);
    series.addLatency("service", "completed", 1_500, 5);
    const [first, second] = series.close(2_000, { ...OPTIONS, until: { response: "completed", service: "noticed" } });
    expect(first).not.toHaveProperty("response");
    expect(second).toMatchObject({
      response: { count: 1, max: 20, buckets: [bucketOf(20), 1] },
      service: { count: 1, max: 10, buckets: [bucketOf(10), 1] },
    });
  });

  test.each([
    [999, 999, ["p50"]],
    [1_000, 1_000, ["p50", "p99"]],
    [1_000, 1_009, ["p50", "p99"]],
    [1_000, 1_011, ["p50"]],
    [1_000, 2_001, []],
    [19, 19, []],
  ])("of %d latencies of %d that were due shows %j", (count, due, percentiles) => {
    const series = new Series();
    for (let index = 0; index < due; index += 1) series.addOffered(index / 10);
    for (let index = 0; index < count; index += 1) series.addLatency("service", "noticed", index / 10, index);
    const service = series.close(1_000, OPTIONS)[0]!.service!;
    expect(Object.keys(service).filter((key) => key.startsWith("p"))).toEqual(percentiles);
    if (service.p50 !== undefined) expect(service.p50 / (count / 2)).toBeCloseTo(1, 1);
  });
});
