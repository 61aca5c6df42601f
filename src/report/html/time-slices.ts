import type { Interval, IntervalLatency, RunResult } from "../../result/run-result.js";
import { SparseHistogram } from "../../stats/sparse-histogram.js";

/** A part of a run: neighbouring intervals of its series in one. Times are milliseconds from the start of the run. */
export interface TimeSlice {
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly offeredPerSecond: number;
  readonly startedPerSecond: number;
  readonly completedPerSecond: number;
  /** Absent if the content of an orchestration is unknown. */
  readonly activitiesPerSecond?: number;
  /** At its end. */
  readonly inFlight: number;
  /**
   * Response time, or service time in closed load, which has no response time. Absent if nothing completed that was due
   * in it.
   */
  readonly latency?: Pick<IntervalLatency, "p50" | "p99" | "max">;
}

/** The latency that a run's intervals are shown with. Closed load has no schedule, and therefore no response time. */
export function latencyOverTime({ series = [] }: RunResult): "response" | "service" {
  return series.some(({ response }) => response) ? "response" : "service";
}

/** Every interval of the run. A last interval that is too short for a rate is merged with the one before. */
export function timeSlices(result: RunResult): readonly TimeSlice[] {
  const intervals = result.series ?? [];
  const [last, previous] = [intervals.at(-1), intervals.at(-2)];
  const isRest = last !== undefined && previous !== undefined && last.lengthMs < previous.lengthMs / 2;
  const groups = intervals.slice(0, isRest ? -2 : undefined).map((interval) => [interval]);
  const name = latencyOverTime(result);
  return (isRest ? [...groups, [previous, last]] : groups).map((group) => sliceOf(group, name));
}

/** Cuts the run into at most `most` equal parts. */
export function coarseSlices(result: RunResult, most: number): readonly TimeSlice[] {
  const intervals = result.series ?? [];
  const size = Math.ceil(intervals.length / most);
  const name = latencyOverTime(result);
  return Array.from({ length: size === 0 ? 0 : Math.ceil(intervals.length / size) }, (_, index) =>
    sliceOf(intervals.slice(index * size, (index + 1) * size), name),
  );
}

function sliceOf(intervals: readonly Interval[], name: "response" | "service"): TimeSlice {
  const lengthMs = sum(intervals.map((interval) => interval.lengthMs));
  const perSecond = (counts: readonly number[]) => (sum(counts) * 1_000) / lengthMs;
  const activities = intervals.flatMap((interval) => interval.activities ?? []);
  const latency = latencyOf(intervals.flatMap((interval) => interval[name] ?? []));
  return {
    fromMs: intervals[0]!.fromMs,
    lengthMs,
    offeredPerSecond: perSecond(intervals.map(({ offered }) => offered)),
    startedPerSecond: perSecond(intervals.map(({ started }) => started)),
    completedPerSecond: perSecond(intervals.map(({ completed }) => completed)),
    ...(activities.length > 0 && { activitiesPerSecond: perSecond(activities) }),
    inFlight: intervals.at(-1)!.inFlight,
    ...(latency && { latency }),
  };
}

function latencyOf(latencies: readonly IntervalLatency[]): TimeSlice["latency"] {
  const [only, ...more] = latencies;
  if (!only || more.length === 0) return only;
  const all = new SparseHistogram();
  for (const { buckets, max } of latencies) all.merge(SparseHistogram.fromBuckets(buckets, max));
  const [p50, p99] = [all.percentile(0.5), all.percentile(0.99)];
  const max = Math.max(...latencies.map((latency) => latency.max));
  return { ...(p50 !== undefined && { p50 }), ...(p99 !== undefined && { p99 }), max };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
