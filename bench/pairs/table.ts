import { spreadOf } from "#spread";

/** Figures of one run, by their names. */
export type Figures = Readonly<Record<string, number>>;

/**
 * Runs both sides in turn, the other one first each time, behind one run of each that is discarded. Prints the median of
 * each figure with its least and greatest, and the ratios pair by pair.
 */
export async function printPairs<S extends string>(
  load: string,
  pairs: number,
  sides: Readonly<Record<S, () => Figures | Promise<Figures>>>,
): Promise<void> {
  const [first, second] = Object.keys(sides) as [S, S];
  await sides[first]();
  await sides[second]();
  const measured: Record<S, Figures>[] = [];
  for (let number = 0; number < pairs; number += 1) {
    const pair: Partial<Record<S, Figures>> = {};
    for (const side of number % 2 === 0 ? [first, second] : [second, first]) pair[side] = await sides[side]();
    measured.push(pair as Record<S, Figures>);
  }
  for (const figure of Object.keys(measured[0]![first])) {
    const of = (side: S): number[] => measured.map((pair) => pair[side][figure]!);
    const ratios = of(first).map((value, index) => value / of(second)[index]!);
    console.log(
      `${load.padEnd(18)} ${figure.padEnd(18)} ${first} ${spread(of(first))}  ${second} ${spread(of(second))}  ` +
        `ratio ${spread(ratios)}`,
    );
  }
}

/** The median, and the least and the greatest. */
function spread(values: readonly number[]): string {
  const { median, min, max } = spreadOf(values);
  return `${text(median)} (${text(min)}..${text(max)})`;
}

function text(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
