/** What is known of an offset is kept in bins of so long, each as of its middle. */
const BIN_US = 100_000;
/** Where a clock was set, offsets are intersected over this long, and over the windows on either side. */
const BINS_OF_WINDOW = 50;
/** 500 ppm, the most by which NTP disciplines a clock: https://www.rfc-editor.org/rfc/rfc5905#section-11.3 */
const MOST_DRIFT = 500e-6;
/** Between a time and the middle of its bin, and what microseconds in a double round. */
const SLACK_US = (BIN_US / 2) * MOST_DRIFT + 2;
/** A whole number of milliseconds may have been cut to it. */
const CUT_US = 1_000;

/** The offset of one clock against another, true within plus or minus the bound. Microseconds. */
export interface OffsetAt {
  readonly offsetUs: number;
  readonly boundUs: number;
}

interface Range {
  leastUs: number;
  mostUs: number;
}

type Ranges = Map<number, Range>;

/**
 * offset = other clock - backend's clock, from messages that went between the two: one cannot arrive before it was sent.
 *
 *     sent by the backend at b, received at o:   offset <= o - b
 *     sent by the other at o, received at b:     offset >= o - b
 *
 * An offset known at one time lies, s later or earlier, in the same range widened by 500 ppm of s: so the bounds follow the
 * drift of the clocks. All ranges are intersected. Where nothing is left, a clock was set: then windows of 5 s with the one
 * before and the one after count, then each window alone, then each bin of 0.1 s. Where not even that agrees, or only one side
 * is known, the offset is not. See `stats/clock-bridge.ts`, which
 * does the same for a stream that has no end yet. Memory is that of the bins.
 */
export class ClockOffset {
  readonly #observed: Ranges = new Map();
  #known: Ranges | undefined;

  /** The backend sent something at `backendUs` by its clock, which the other received at `otherUs` by its own. */
  received(backendUs: number, otherUs: number): void {
    const range = rangeAt(this.#observed, binOf(backendUs));
    range.mostUs = Math.min(range.mostUs, otherUs - backendUs + SLACK_US);
    this.#known = undefined;
  }

  /** The other sent something at `otherUs` by its clock, which the backend received at `backendUs` by its own. */
  sent(otherUs: number, backendUs: number): void {
    const range = rangeAt(this.#observed, binOf(backendUs));
    range.leastUs = Math.max(range.leastUs, otherUs - backendUs - cutOf(backendUs) - SLACK_US);
    this.#known = undefined;
  }

  /** Undefined where it is not known from both sides. */
  at(backendUs: number): OffsetAt | undefined {
    this.#known ??= knownFrom(this.#observed);
    const range = this.#known.get(binOf(backendUs)) ?? nearest(this.#known, binOf(backendUs));
    if (!range || !Number.isFinite(range.leastUs) || !Number.isFinite(range.mostUs)) return undefined;
    return { offsetUs: (range.leastUs + range.mostUs) / 2, boundUs: (range.mostUs - range.leastUs) / 2 + SLACK_US };
  }
}

function knownFrom(observed: Ranges): Ranges {
  const bins = [...observed.keys()].toSorted((a, b) => a - b);
  const whole = intersected(observed, bins);
  if (whole) return whole;
  const known: Ranges = new Map();
  const windows = Map.groupBy(bins, windowOf);
  for (const [window, own] of windows) {
    const around = [...(windows.get(window - 1) ?? []), ...own, ...(windows.get(window + 1) ?? [])];
    const ranges = intersected(observed, around) ?? intersected(observed, own) ?? alone(observed, own);
    for (const bin of own) {
      const range = ranges.get(bin);
      if (range) known.set(bin, range);
    }
  }
  return known;
}

/** Each bin with what all others know, which drift widens; undefined where they contradict each other. */
function intersected(observed: Ranges, bins: readonly number[]): Ranges | undefined {
  const ranges: Ranges = new Map(bins.map((bin) => [bin, { ...observed.get(bin)! }]));
  narrowByNeighbours(ranges, bins);
  narrowByNeighbours(ranges, bins.toReversed());
  return [...ranges.values()].every(isPossible) ? ranges : undefined;
}

function narrowByNeighbours(ranges: Ranges, bins: readonly number[]): void {
  for (const [index, bin] of bins.entries()) {
    const neighbour = bins[index - 1];
    if (neighbour === undefined) continue;
    const { leastUs, mostUs } = ranges.get(neighbour)!;
    const driftUs = Math.abs(bin - neighbour) * BIN_US * MOST_DRIFT;
    const range = ranges.get(bin)!;
    range.leastUs = Math.max(range.leastUs, leastUs - driftUs);
    range.mostUs = Math.min(range.mostUs, mostUs + driftUs);
  }
}

function alone(observed: Ranges, bins: readonly number[]): Ranges {
  return new Map(bins.map((bin) => [bin, observed.get(bin)!] as const).filter(([, range]) => isPossible(range)));
}

/** For a time at which nothing was observed: the nearest bin's, widened by the drift until then. */
function nearest(known: Ranges, bin: number): Range | undefined {
  let best: number | undefined;
  for (const other of known.keys())
    if (best === undefined || Math.abs(other - bin) < Math.abs(best - bin)) best = other;

  const range = best === undefined ? undefined : known.get(best);
  if (!range) return undefined;
  const driftUs = Math.abs(best! - bin) * BIN_US * MOST_DRIFT;
  return { leastUs: range.leastUs - driftUs, mostUs: range.mostUs + driftUs };
}

function isPossible({ leastUs, mostUs }: Range): boolean {
  return leastUs <= mostUs;
}

function rangeAt(ranges: Ranges, bin: number): Range {
  const found = ranges.get(bin);
  if (found) return found;
  const range = { leastUs: Number.NEGATIVE_INFINITY, mostUs: Number.POSITIVE_INFINITY };
  ranges.set(bin, range);
  return range;
}

function binOf(us: number): number {
  return Math.floor(us / BIN_US);
}

function windowOf(bin: number): number {
  return Math.floor(bin / BINS_OF_WINDOW);
}

function cutOf(us: number): number {
  return us % 1_000 === 0 ? CUT_US : 0;
}
