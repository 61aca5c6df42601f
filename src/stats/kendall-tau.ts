/**
 * How much values go one way in the order in which they come: 1 where each is larger than all before it, -1 where each
 * is smaller, about 0 where there is no order; 0 of fewer than two. Pairs that rise minus pairs that fall, over all pairs:
 * https://en.wikipedia.org/wiki/Kendall_rank_correlation_coefficient (tau-a)
 */
export function kendallTau(values: readonly number[]): number {
  const pairs = (values.length * (values.length - 1)) / 2;
  const rises = values.reduce(
    (sum, value, index) => values.slice(index + 1).reduce((sum, later) => sum + Math.sign(later - value), sum),
    0,
  );
  return pairs === 0 ? 0 : rises / pairs;
}
