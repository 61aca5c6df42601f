/**
 * The order in which sides are measured, as indexes: forwards and backwards in turn (A B B A A B ...). A drift, such as
 * the temperature of the processor or other people's work, then affects all sides alike.
 */
export function turnsOf(sides: number, repeat: number): readonly number[] {
  const there = Array.from({ length: sides }, (_, index) => index);
  return Array.from({ length: repeat }, (_, round) => (round % 2 === 0 ? there : there.toReversed())).flat();
}
