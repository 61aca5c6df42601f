/**
 * By how much a latency grew from the first start of a load to the last. Of response time it is what completes later than it
 * would have, had the backend kept up; of slip what leaves later, had the generator. The slope of the least-squares line of
 * the latency by when the start was due, in constant memory (Welford's updates, _Note on a Method for Calculating Corrected
 * Sums of Squares and Products_, 1962).
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

  /** Milliseconds over so long; 0 where it did not grow by more than three standard errors of the slope. */
  over(lengthMs: number): number {
    if (this.#count < 3 || this.#dueSquares === 0) return 0;
    const slope = this.#products / this.#dueSquares;
    const residual = Math.max(0, this.#latencySquares - slope * this.#products);
    const error = Math.sqrt(residual / (this.#count - 2) / this.#dueSquares);
    return slope > 3 * error ? slope * lengthMs : 0;
  }
}
