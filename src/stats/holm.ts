/** What becomes of one of several hypotheses that are tested together. */
export interface HolmTest {
  /** Its p value, corrected: it is rejected where this is below `alpha`. */
  readonly adjusted: number;
  /** What its own p value was held against: an interval of confidence 1 - level tells the same as the test. */
  readonly level: number;
}

/**
 * Tests several hypotheses so that, whichever of them are true, one of those is rejected with a probability of at most
 * `alpha`. The smallest of m p values is held against alpha / m, the next against alpha / (m - 1), until one is not
 * below; those after it are held against what that one was. In the order of the p values given.
 * S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
 */
export function holm(pValues: readonly number[], alpha: number): readonly HolmTest[] {
  const ranked = pValues.map((p, index) => ({ p, index })).toSorted((one, other) => one.p - other.p);
  const scaled = ranked.map(({ p }, rank) => p * (ranked.length - rank));
  const adjusted = scaled.map((_, rank) => Math.min(1, Math.max(...scaled.slice(0, rank + 1))));
  const first = adjusted.findIndex((p) => !(p < alpha));
  const tests = ranked.map(({ index }, rank) => {
    const step = first < 0 ? rank : Math.min(rank, first);
    return { index, adjusted: adjusted[rank]!, level: alpha / (ranked.length - step) };
  });
  return tests.toSorted((one, other) => one.index - other.index).map(({ adjusted, level }) => ({ adjusted, level }));
}
