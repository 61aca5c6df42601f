/**
 * By how much response time grew from the first start of a load to the last: what completes later than it would have, had
 * the backend kept up. The slope of the least-squares line of response time by when the start was due, in constant memory
 * (Welford's updates, _Note on a Method for Calculating Corrected Sums of Squares and Products_, 1962).
 */
export class ResponseDrift {
  #count = 0;
  #meanDueMs = 0;
  #meanResponseMs = 0;
  #dueSquares = 0;
  #responseSquares = 0;
  #products = 0;

  add(dueMs: number, responseMs: number): void {
    this.#count += 1;
    const due = dueMs - this.#meanDueMs;
    const response = responseMs - this.#meanResponseMs;
    this.#meanDueMs += due / this.#count;
    this.#meanResponseMs += response / this.#count;
    this.#dueSquares += due * (dueMs - this.#meanDueMs);
    this.#responseSquares += response * (responseMs - this.#meanResponseMs);
    this.#products += due * (responseMs - this.#meanResponseMs);
  }

  /** Milliseconds over so long; 0 where it did not grow by more than two standard errors of the slope. */
  over(lengthMs: number): number {
    if (this.#count < 3 || this.#dueSquares === 0) return 0;
    const slope = this.#products / this.#dueSquares;
    const residual = Math.max(0, this.#responseSquares - slope * this.#products);
    const error = Math.sqrt(residual / (this.#count - 2) / this.#dueSquares);
    return slope > 2 * error ? slope * lengthMs : 0;
  }
}
