import { kendallTau } from "./kendall-tau.js";
import type { Interval, Stall } from "../result/run-result.js";
import { SparseHistogram } from "./sparse-histogram.js";
import { ninthsOf, steadyIntervals, type MeasuredLoad } from "./steady-intervals.js";

/** As a share of the smaller median. */
export const LEAST_DIFFERENCE = 0.15;
/** A single step to a level that stays has 0.5 to 0.56, and slightly more with noise. */
const LEAST_TAU = 0.6;
/** A straight line has six times its usual step between the middles of two thirds. A random walk seldom has four. */
const LEAST_STEPS = 4;

/** The median service time of the first and of the last third of the measured time, in milliseconds. */
export interface ServiceTrend {
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * A trend of the service time under constant load.
 * It uses the medians of nine parts of the measured time, without stalls and the time just after them. A trend needs
 * three things: most pairs of medians have the same order; the first third differs from the last by more than 15 %; and
 * by more than four usual differences of neighbours, because a queue fluctuates slowly. In open load only a fall is a
 * trend: a rise comes with a rise in flight, which is a backlog or the noise of a queue.
 * Undefined if there is no trend, or if a ninth has no median.
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

/** The work that a stall has piled up takes about as long again. */
function touches({ fromMs, lengthMs }: Stall, interval: Interval): boolean {
  return interval.fromMs < fromMs + 2 * lengthMs && interval.fromMs + interval.lengthMs > fromMs;
}

function serviceOf(intervals: readonly Interval[]): SparseHistogram {
  const all = new SparseHistogram();
  for (const { service } of intervals)
    if (service) all.merge(SparseHistogram.fromBuckets(service.buckets, service.max));
  return all;
}
