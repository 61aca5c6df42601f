import { kendallTau } from "./kendall-tau.js";
import type { Interval, Stall } from "../result/run-result.js";
import { SparseHistogram } from "./sparse-histogram.js";
import { ninthsOf, steadyIntervals, type MeasuredLoad } from "./steady-intervals.js";

/** Of the smaller median. */
export const LEAST_DIFFERENCE = 0.15;
/** One step to a level that stays makes 0.5 to 0.56, and by noise some more. */
const LEAST_TAU = 0.6;
/** A straight way makes six times its usual step between the middles of two thirds; a random walk seldom makes four. */
const LEAST_STEPS = 4;

/** The median service time of the first third of what was measured, and of the last. Milliseconds. */
export interface ServiceTrend {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * A service time that goes one way while the load stays the same. Taken are the medians of nine parts of what was
 * measured, stalls and what followed on them left out. They make a trend where most pairs of them are in one order, and
 * where the first third differs from the last by more than 15 %, and by more than four usual differences of neighbours,
 * as what waits in a queue goes up and down slowly. In open load only a fall is a trend: where it rises, so does what is
 * in flight, which is a backlog or the noise of a queue. Undefined where there is none, or a ninth has no median.
 */
export function serviceTrendOf(result: MeasuredLoad): ServiceTrend | undefined {
  const { plan, stalls = [] } = result;
  const intervals = steadyIntervals(result).filter((interval) => !stalls.some((stall) => touches(stall, interval)));
  const ninths = ninthsOf(intervals) ?? [];
  const medians = ninths.flatMap((ninth) => serviceOf(ninth).percentile(0.5) ?? []);
  if (ninths.length === 0 || medians.length < ninths.length) return undefined;
  const firstMs = serviceOf(ninths.slice(0, 3).flat()).quantile(0.5);
  const lastMs = serviceOf(ninths.slice(-3).flat()).quantile(0.5);
  const mayRise = plan.load?.kind === "closed";
  const isFar = Math.abs(lastMs - firstMs) > LEAST_DIFFERENCE * Math.min(firstMs, lastMs);
  return isFar && goesOneWay(medians, Math.abs(lastMs - firstMs)) && (lastMs < firstMs || mayRise)
    ? { firstMs, lastMs }
    : undefined;
}

function goesOneWay(ninths: readonly number[], differenceMs: number): boolean {
  const steps = ninths.slice(1).map((ms, index) => Math.abs(ms - ninths[index]!));
  const usualStep = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)]!;
  return Math.abs(kendallTau(ninths)) >= LEAST_TAU && differenceMs > LEAST_STEPS * usualStep;
}

/** What piled up in a stall takes about as long again to be done. */
function touches({ fromMs, lengthMs }: Stall, interval: Interval): boolean {
  return interval.fromMs < fromMs + 2 * lengthMs && interval.fromMs + interval.lengthMs > fromMs;
}

function serviceOf(intervals: readonly Interval[]): SparseHistogram {
  const all = new SparseHistogram();
  for (const { service } of intervals)
    if (service) all.merge(SparseHistogram.fromBuckets(service.buckets, service.max));
  return all;
}
