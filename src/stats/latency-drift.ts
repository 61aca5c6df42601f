import type { DriftTally } from "../result/run-result.js";

/**
 * The growth of a latency from the first start of a load to the last. For response time, it is the extra delay because
 * the backend did not keep up; for slip, because the generator did not. It is the slope of the least-squares line of
 * the latency over the due time of the start, in constant memory (Welford's updates, _Note on a Method for Calculating
 * Corrected Sums of Squares and Products_, 1962).
 */
export class LatencyDrift {
  #count = 0;
  #meanDueMs = 0;
  #meanLatencyMs = 0;
  #dueSquares = 0;
  #latencySquares = 0;
  #products = 0;

  add(dueMs: number, latencyMs: number): void {
    this.#count += 1;
    const due = dueMs - this.#meanDueMs;
    const latency = latencyMs - this.#meanLatencyMs;
    this.#meanDueMs += due / this.#count;
    this.#meanLatencyMs += latency / this.#count;
    this.#dueSquares += due * (dueMs - this.#meanDueMs);
    this.#latencySquares += latency * (latencyMs - this.#meanLatencyMs);
    this.#products += due * (latencyMs - this.#meanLatencyMs);
  }

  tally(): DriftTally {
    return {
      count: this.#count,
      meanDueMs: this.#meanDueMs,
      meanLatencyMs: this.#meanLatencyMs,
      dueSquares: this.#dueSquares,
      latencySquares: this.#latencySquares,
      products: this.#products,
    };
  }

  /**
   * Adds everything of another one (Chan, Golub and LeVeque, _Updating Formulae and a Pairwise Algorithm for Computing
   * Sample Variances_, 1979).
   */
  absorb(other: DriftTally): void {
    const count = this.#count + other.count;
    if (other.count === 0) return;
    const due = other.meanDueMs - this.#meanDueMs;
    const latency = other.meanLatencyMs - this.#meanLatencyMs;
    const weight = (this.#count * other.count) / count;
    this.#meanDueMs += (due * other.count) / count;
    this.#meanLatencyMs += (latency * other.count) / count;
    this.#dueSquares += other.dueSquares + due * due * weight;
    this.#latencySquares += other.latencySquares + latency * latency * weight;
    this.#products += other.products + due * latency * weight;
    this.#count = count;
  }

  /** The growth over `lengthMs`, in milliseconds. 0 if the slope is not above three of its standard errors. */
  over(lengthMs: number): number {
    if (this.#count < 3 || this.#dueSquares === 0) return 0;
    const slope = this.#products / this.#dueSquares;
    const residual = Math.max(0, this.#latencySquares - slope * this.#products);
    const error = Math.sqrt(residual / (this.#count - 2) / this.#dueSquares);
    return slope > 3 * error ? slope * lengthMs : 0;
  }
}
