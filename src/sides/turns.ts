/**
 * In which order sides are measured, as indexes: there and back again (A B B A A B ...), so that what drifts meanwhile,
 * such as the temperature of a processor or other people's work, falls on all of them alike.
 */
export function turnsOf(sides: number, repeat: number): readonly number[] {
  const there = Array.from({ length: sides }, (_, index) => index);
  return Array.from({ length: repeat }, (_, round) => (round % 2 === 0 ? there : there.toReversed())).flat();
}
