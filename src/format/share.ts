/** A share of 1 for a person, in percent to three digits: `0 %`, `0.0123 %`, `12.5 %`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
