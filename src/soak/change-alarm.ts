/** The shift, in standard deviations, that is half way between usual and not. */
const SLACK = 1;
/** The sum at which a change is told. */
const LIMIT = 12;
/** One interval counts for no more than this in either direction, in standard deviations: a hiccup is no change. */
const MOST_OF_ONE = 4;
/** What is above the limit has to fall again before the series is as usual. */
const HIGHEST = 1.25 * LIMIT;
/** A median absolute deviation times this estimates the standard deviation of a normal distribution. */
const NORMAL = 1.4826;
const MOST_CORRELATION = 0.8;
/** What is usual is learned more exactly from up to this many times the values that the first alarm needs. */
const REFINED = 6;
/** How much larger a deviation is taken to be that was learned from few values: by this over the root of their number. */
const DOUBT = 2;

/** The largest number of intervals from a sudden change of five standard deviations or more to its alarm. */
export const INTERVALS_TO_ALARM = Math.ceil(LIMIT / (MOST_OF_ONE - SLACK));
/** Fewer say too little of how much a series varies. */
export const LEAST_LEARNED = 20;

export interface ChangeAlarmOptions {
  /** Which direction is a fault. */
  readonly worse: "lower" | "higher";
  /** How many values to learn from before the first alarm. */
  readonly learned: number;
  /** The least standard deviation: of a quiet series, less is noise that nobody cares for. Takes the usual value. */
  readonly leastDeviation: (usual: number) => number;
}

/** What is usual for a series. */
export interface Usual {
  readonly value: number;
  readonly deviation: number;
}

export type Change =
  | {
      readonly kind: "changed";
      /** The first value of the change, counted from the first that was added. */
      readonly since: number;
      readonly usual: Usual;
    }
  | { readonly kind: "recovered" };

/**
 * A change-point alarm on one series: a one-sided cumulative sum (E. S. Page, Continuous inspection schemes, Biometrika 41,
 * 1954), with its usual value and deviation learned from the first values. The deviation is robust (median absolute
 * deviation) and that of a sum of the values: a series whose neighbours resemble each other wanders further.
 */
export class ChangeAlarm {
  readonly #learned: number[] = [];
  #usual: Usual | undefined;
  #added = 0;
  #sum = 0;
  #since = 0;
  #told = false;

  constructor(readonly options: ChangeAlarmOptions) {}

  /** The number of values that were added. */
  get count(): number {
    return this.#added;
  }

  /** Adds the next value. Returns the change that it shows. */
  add(value: number): Change | undefined {
    this.#added += 1;
    const { worse } = this.options;
    const before = this.#usual;
    if (!this.#told) this.#learn(value);
    if (before === undefined) return undefined;
    const { value: usual, deviation } = before;
    const shift = ((worse === "higher" ? 1 : -1) * (value - usual)) / deviation;
    if (this.#sum === 0) this.#since = this.#added - 1;
    this.#sum = Math.min(
      HIGHEST,
      Math.max(0, this.#sum + Math.max(-MOST_OF_ONE, Math.min(shift, MOST_OF_ONE)) - SLACK),
    );
    if (this.#told ? this.#sum > 0 : this.#sum < LIMIT) return undefined;
    this.#told = !this.#told;
    return this.#told ? { kind: "changed", since: this.#since, usual: before } : { kind: "recovered" };
  }

  #learn(value: number): void {
    const { learned, leastDeviation } = this.options;
    if (this.#learned.length === REFINED * learned) return;
    this.#learned.push(value);
    if (this.#learned.length % learned === 0) this.#usual = usualOf(this.#learned, leastDeviation);
  }
}

function usualOf(values: readonly number[], leastDeviation: (usual: number) => number): Usual {
  const value = medianOf(values);
  const spread = NORMAL * medianOf(values.map((each) => Math.abs(each - value)));
  const correlation = Math.min(MOST_CORRELATION, Math.max(0, correlationOf(values, value)));
  const ofSum = spread * Math.sqrt((1 + correlation) / (1 - correlation));
  const doubt = 1 + DOUBT / Math.sqrt(values.length);
  return { value, deviation: Math.max(ofSum * doubt, leastDeviation(value), Number.EPSILON) };
}

/** Of neighbours. */
function correlationOf(values: readonly number[], middle: number): number {
  let products = 0;
  let squares = 0;
  for (const [index, value] of values.entries()) {
    squares += (value - middle) ** 2;
    products += index === 0 ? 0 : (value - middle) * (values[index - 1]! - middle);
  }
  return squares === 0 ? 0 : products / squares;
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  return Number.isInteger(half) ? (sorted[half - 1]! + sorted[half]!) / 2 : sorted[Math.floor(half)]!;
}
