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

  /** The growth over `lengthMs`, in milliseconds. 0 if the slope is not above three of its standard errors. */
  over(lengthMs: number): number {
    if (this.#count < 3 || this.#dueSquares === 0) return 0;
    const slope = this.#products / this.#dueSquares;
    const residual = Math.max(0, this.#latencySquares - slope * this.#products);
    const error = Math.sqrt(residual / (this.#count - 2) / this.#dueSquares);
    return slope > 3 * error ? slope * lengthMs : 0;
  }
}
