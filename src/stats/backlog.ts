import type { Interval, Stall } from "../result/run-result.js";
import { ninthsOf, steadyIntervals, type MeasuredLoad } from "./steady-intervals.js";

/** https://en.wikipedia.org/wiki/68-95-99.7_rule */
const LEAST_SIGMAS = 3;
/**
 * The least share of the growth from each third to the next. Steady growth has a half in both. A single step to a level
 * that stays has none in one of them.
 */
const LEAST_SHARE = 0.25;

/** The average number in flight in the first and in the last third of the measured time. */
export interface Backlog {
  readonly first: number;
  readonly last: number;
}

/**
 * Growth of the number in flight in open load of one rate.
 * The number grows at first, until the first starts have ended; that time is left out, and so is growth in a stall that
 * ended. If a backend just carries the load, the number wanders: the difference of n random arrivals and n random
 * completions has a standard deviation of sqrt(2n). A backlog grows by more than three times that between the middles
 * of the first and the last third, and it grows in both halves of that time.
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

/** The duration of the slowest of the first starts; infinite if unknown. */
function rampOf(steady: readonly Interval[]): number {
  const first = ninthsOf(steady)?.[0] ?? [];
  const started = first.filter(({ offered }) => offered > 0);
  return Math.max(0, ...started.map(({ service }) => service?.max ?? Number.POSITIVE_INFINITY));
}

/** The intervals without the growth in stalls that ended. The others continue from the level before. */
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
