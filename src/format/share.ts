/** Reads a share as people write it, `0.01` or `1%`; undefined for anything else, and beyond 0 to 1. */
export function parseShare(text: string): number | undefined {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/u.exec(text.trim()) ?? [];
  const value = Number(digits) / (percent === "%" ? 100 : 1);
  return value >= 0 && value <= 1 ? value : undefined;
}

/** A share of 1 for a person, in percent to three digits: `0 %`, `0.0123 %`, `12.5 %`. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
