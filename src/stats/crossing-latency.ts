import { LatencyHistogram, NOTHING } from "./latency-histogram.js";
import type { CrossingBuckets } from "./latency-buckets.js";
import type { CrossingSummary, CrossingTally, EncodedHistogram } from "../result/run-result.js";

/** A figure with a larger bound, as a share, is useless. */
const LARGEST_SHARE = 0.1;

/**
 * A latency from a time on the client's clock to a completion. It is kept twice: until the completion on the backend's
 * clock, with a bound, and until the client noticed it. The memory is constant. All samples together decide which of
 * the two is used.
 */
export class CrossingLatency {
  readonly #completed = new LatencyHistogram();
  readonly #noticed = new LatencyHistogram();
  #boundMs = 0;

  tally(): CrossingTally {
    return { completed: this.#completed.tally(), noticed: this.#noticed.tally(), boundMs: this.#boundMs };
  }

  /** The same without the completions by the backend's clock, which are known late. */
  tallyNoticed(): CrossingTally {
    return { completed: NOTHING, noticed: this.#noticed.tally(), boundMs: 0 };
  }

  /** Adds everything of another one. */
  absorb({ completed, noticed, boundMs }: CrossingTally): void {
    this.#completed.absorb(completed);
    this.#noticed.absorb(noticed);
    this.#boundMs = Math.max(this.#boundMs, boundMs);
  }

  addNoticed(ms: number): void {
    this.#noticed.add(ms);
  }

  /** A completion before the begin, within the bound, took no time. */
  addCompleted(ms: number, boundMs: number): void {
    this.#completed.add(Math.max(0, ms));
    this.#boundMs = Math.max(this.#boundMs, boundMs);
  }

  /**
   * `completed` if the backend reported the time of every noticed completion, and if the median (in a small sample the
   * mean) is known to 10 %.
   */
  get until(): "completed" | "noticed" {
    const told = this.#completed.count === this.#noticed.count;
    return told && this.#boundMs <= LARGEST_SHARE * (this.#completed.typicalMs ?? 0) ? "completed" : "noticed";
  }

  get count(): number {
    return this.#noticed.count;
  }

  get meanMs(): number | undefined {
    return this.#chosen.meanMs;
  }

  /** As `LatencyHistogram.summary`. */
  summary(censored = 0): CrossingSummary | undefined {
    const summary = this.#chosen.summary(censored);
    const { until } = this;
    return summary && { ...summary, until, ...(until === "completed" && { boundMs: this.#boundMs }) };
  }

  /** The same until one of the two ends. */
  summaryUntil(until: "completed" | "noticed", censored = 0) {
    return (until === "completed" ? this.#completed : this.#noticed).summary(censored);
  }

  /** The summary that is known at once. The backend's clock takes a while to be known. */
  summaryNoticed(censored = 0) {
    return this.#noticed.summary(censored);
  }

  encoded(): EncodedHistogram | undefined {
    return this.#chosen.encoded();
  }

  /** Undefined without a sample. */
  buckets(): CrossingBuckets | undefined {
    return this.count === 0 ? undefined : { noticed: this.#noticed.buckets(), completed: this.#completed.buckets() };
  }

  get #chosen(): LatencyHistogram {
    return this.until === "completed" ? this.#completed : this.#noticed;
  }
}
