import type { Interval, Stall } from "../result/run-result.js";
import { ninthsOf, steadyIntervals, type MeasuredLoad } from "./steady-intervals.js";

/** https://en.wikipedia.org/wiki/68-95-99.7_rule */
const LEAST_SIGMAS = 3;
/** Of the growth: from each third to the next, where steady growth has a half. One step to a level that stays has none. */
const LEAST_SHARE = 0.25;

/** In flight on average in the first third of what was measured, and in the last. */
export interface Backlog {
  readonly first: number;
  readonly last: number;
}

/**
 * What is in flight grows in open load of one rate. It does so at first, until the first starts have ended: that is left
 * out, and so is what grew in a stall that ended. Of a backend that just carries the load, what is in flight wanders: of
 * n random arrivals and n random completions the difference has a standard deviation of sqrt(2n). A backlog grows by more
 * than three times that between the middles of the first and the last third, and in both halves of that time.
 */
export function backlogOf(result: MeasuredLoad): Backlog | undefined {
  if (result.plan.load?.kind !== "open") return undefined;
  const steady = steadyIntervals(result);
  const rampMs = rampOf(steady);
  const ninths = ninthsOf(withoutStalls(steady, result.stalls).filter(({ fromMs }) => fromMs >= rampMs));
  if (!ninths) return undefined;
  const [first, middle, last] = [levelOf(ninths.slice(0, 3)), levelOf(ninths.slice(3, 6)), levelOf(ninths.slice(6))];
  const growth = last - first;
  const arrivals = (ninths.flat().reduce((sum, { offered }) => sum + offered, 0) * 2) / 3;
  const isBeyondNoise = growth > LEAST_SIGMAS * Math.sqrt(2 * arrivals);
  const goesOn = Math.min(middle - first, last - middle) > LEAST_SHARE * growth;
  return isBeyondNoise && goesOn ? { first, last } : undefined;
}

/** How long the first starts take, the slowest of them; for ever where it is not known. */
function rampOf(steady: readonly Interval[]): number {
  const first = ninthsOf(steady)?.[0] ?? [];
  return Math.max(...first.map(({ service }) => service?.max ?? Number.POSITIVE_INFINITY));
}

/** Less what came to be in flight in a stall that ended: the rest goes on from there. */
function withoutStalls(intervals: readonly Interval[], stalls: readonly Stall[] = []): readonly Interval[] {
  const ended = stalls.filter(({ open }) => !open);
  let piledUp = 0;
  return intervals.map((interval, index) => {
    const before = intervals[index - 1]?.inFlight ?? interval.inFlight;
    if (ended.some((stall) => overlaps(stall, interval))) piledUp += interval.inFlight - before;
    return { ...interval, inFlight: interval.inFlight - piledUp };
  });
}

function overlaps({ fromMs, lengthMs }: Stall, interval: Interval): boolean {
  return interval.fromMs < fromMs + lengthMs && interval.fromMs + interval.lengthMs > fromMs;
}

function levelOf(parts: readonly (readonly Interval[])[]): number {
  const intervals = parts.flat();
  return intervals.reduce((sum, { inFlight }) => sum + inFlight, 0) / intervals.length;
}
