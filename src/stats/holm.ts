/** The result for one of several hypotheses that are tested together. */
export interface HolmTest {
  /** The corrected p value. The hypothesis is rejected if it is below `alpha`. */
  readonly adjusted: number;
  /** The level for the hypothesis' own p value. An interval of confidence 1 - level agrees with the test. */
  readonly level: number;
}

/**
 * Tests several hypotheses so that the probability of rejecting any true one is at most `alpha`. The smallest of m p
 * values is compared with alpha / m, the next with alpha / (m - 1), until one is not below its level. The later ones
 * keep that level. The results have the order of the p values.
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
