import { uniformAt } from "../../../src/orchestrations/hash-draw.js";
import { StallDetector } from "../../../src/stats/stall-detector.js";

/** One orchestration, in milliseconds from the start of the run. */
export interface Life {
  readonly startMs: number;
  /** Infinite if it never ends. */
  readonly endMs: number;
}

/** A time in which a backend does nothing. */
export interface Freeze {
  readonly fromMs: number;
  readonly lengthMs: number;
}

export type Draw = () => number;

/** Numbers in [0, 1), the same for the same seed. */
export function draws(seed: number): Draw {
  let index = 0;
  return () => uniformAt(seed, index++);
}

/** Times between random arrivals, or the service times of a backend whose speed is random. */
export function exponential(draw: Draw, meanMs: number): number {
  return -Math.log(1 - draw()) * meanMs;
}

export function frozenFor(freezes: readonly Freeze[]): (startMs: number, serviceMs: number) => number {
  return (startMs, serviceMs) =>
    freezes.reduce((endMs, { fromMs, lengthMs }) => {
      const toMs = fromMs + lengthMs;
      return startMs < toMs && endMs >= fromMs ? endMs + toMs - Math.max(startMs, fromMs) : endMs;
    }, startMs + serviceMs);
}

interface OpenLoad {
  readonly gapMs: (atMs: number) => number;
  readonly serviceMs: () => number;
  readonly lengthMs: number;
  readonly freezes?: readonly Freeze[];
}

/** Starts come by a schedule, whatever becomes of them. */
export function openLoad({ gapMs, serviceMs, lengthMs, freezes = [] }: OpenLoad): readonly Life[] {
  const endOf = frozenFor(freezes);
  const lives: Life[] = [];
  for (let startMs = gapMs(0); startMs < lengthMs; startMs += gapMs(startMs))
    lives.push({ startMs, endMs: endOf(startMs, serviceMs()) });

  return lives;
}

interface ClosedLoad {
  readonly inFlight: number;
  readonly serviceMs: () => number;
  readonly lengthMs: number;
  readonly freezes?: readonly Freeze[];
}

/** Each start follows on the end of another. */
export function closedLoad({ inFlight, serviceMs, lengthMs, freezes = [] }: ClosedLoad): readonly Life[] {
  const endOf = frozenFor(freezes);
  return Array.from({ length: inFlight }, () => {
    const lives: Life[] = [];
    for (let startMs = 0; startMs < lengthMs; startMs = lives.at(-1)!.endMs)
      lives.push({ startMs, endMs: endOf(startMs, serviceMs()) });

    return lives;
  }).flat();
}

/** So many in flight at all times, of which the oldest ends at each of the times. */
export function completionsAt(timesMs: readonly number[], inFlight: number): readonly Life[] {
  const starts = [...Array.from({ length: inFlight }, () => 0), ...timesMs];
  return starts.map((startMs, index) => ({ startMs, endMs: timesMs[index] ?? Number.POSITIVE_INFINITY }));
}

/** What a detector has been told by `untilMs`: each end before the start that it makes room for. */
export function detectorOf(lives: readonly Life[], untilMs: number): StallDetector {
  const detector = new StallDetector();
  const events = lives
    .flatMap(({ startMs, endMs }) => [
      { atMs: startMs, serviceMs: undefined },
      { atMs: endMs, serviceMs: endMs - startMs },
    ])
    .filter(({ atMs }) => atMs <= untilMs)
    .sort((a, b) => a.atMs - b.atMs);
  for (const { atMs, serviceMs } of events) {
    if (serviceMs !== undefined) {
      detector.ended(atMs, serviceMs);
    } else {
      detector.offered(atMs);
      detector.started(atMs);
    }
  }
  return detector;
}
