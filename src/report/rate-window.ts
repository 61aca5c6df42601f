/** The rate of a count over the last few seconds: "now" in a live view. */
export class RateWindow {
  /** In the order of time. The first one is the newest sample that is at least a window old, or the first of all. */
  #samples: { readonly atMs: number; readonly count: number }[] = [];

  constructor(readonly windowMs: number) {}

  /** Adds the count at a time and returns the rate per second since the start of the window; undefined at first. */
  add(atMs: number, count: number): number | undefined {
    this.#samples.push({ atMs, count });
    while ((this.#samples[1]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs - this.windowMs) this.#samples.shift();
    const first = this.#samples[0]!;
    return atMs > first.atMs ? ((count - first.count) * 1_000) / (atMs - first.atMs) : undefined;
  }
}
