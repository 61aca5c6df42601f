import { LatencyHistogram } from "./latency.js";
import type { CrossingSummary, EncodedHistogram } from "../result/run-result.js";

/** A figure whose bound is a larger share of it is not worth having. */
const LARGEST_SHARE = 0.1;

/**
 * A latency that begins on the client's clock and ends with a completion, both by the backend's clock, known to plus or
 * minus a bound, and as the client noticed it. Constant memory. Which of the two is meant follows from all samples.
 */
export class CrossingLatency {
  readonly #completed = new LatencyHistogram();
  readonly #noticed = new LatencyHistogram();
  #boundMs = 0;

  addNoticed(ms: number): void {
    this.#noticed.add(ms);
  }

  /** What ended before it began, by less than the bound, took no time. */
  addCompleted(ms: number, boundMs: number): void {
    this.#completed.add(Math.max(0, ms));
    this.#boundMs = Math.max(this.#boundMs, boundMs);
  }

  /**
   * `completed` where the backend told of all that was noticed, and the median (of a small sample the mean) is known to
   * 10 %.
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

  /** The same by one of the two ends, whichever is better known. */
  summaryUntil(until: "completed" | "noticed", censored = 0) {
    return (until === "completed" ? this.#completed : this.#noticed).summary(censored);
  }

  /** As far as it is known at once: the backend's clock takes a while to be known. */
  summaryNoticed(censored = 0) {
    return this.#noticed.summary(censored);
  }

  encoded(): EncodedHistogram | undefined {
    return this.#chosen.encoded();
  }

  get #chosen(): LatencyHistogram {
    return this.until === "completed" ? this.#completed : this.#noticed;
  }
}
