/**
 * How monotonic a sequence is: 1 if each value is larger than all earlier ones, -1 if each is smaller, about 0 without
 * an order, and 0 for fewer than two values. It is the number of rising pairs minus the number of falling pairs,
 * divided by the number of all pairs:
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
