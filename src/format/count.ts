const GROUPED = /^\d{1,3}([,_]\d{3})+$/u;
const PLAIN = /^(\d+)([kM])?$/u;
const SUFFIXES = new Map([
  ["k", 1_000],
  ["M", 1_000_000],
]);

/** The input of `parseCount`, for an error message. */
export const COUNT_EXPECTED = "a whole number such as 10, 1,000 or 10k";

/**
 * Reads a count as people write it: `1000`, `1,000`, `1_000`, `10k`, `2M`.
 * Returns undefined for anything else, and for what a number cannot hold exactly.
 */
export function parseCount(text: string): number | undefined {
  const trimmed = text.trim();
  const count = GROUPED.test(trimmed) ? Number(trimmed.replaceAll(/[,_]/gu, "")) : parsePlain(trimmed);
  return count !== undefined && Number.isSafeInteger(count) ? count : undefined;
}

function parsePlain(text: string): number | undefined {
  const match = PLAIN.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * (SUFFIXES.get(match[2] ?? "") ?? 1);
}

/** `1234567` as `1,234,567`; rounds to a whole number. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replaceAll(/\B(?=(\d{3})+$)/gu, ",");
}

/** A positive number to three digits, never as an exponent; whole numbers below 1,000 lose their zeros. */
export function threeDigits(value: number): string {
  if (Number.isInteger(value)) return value.toString();
  if (value < 0.995) return value.toFixed(2);
  return Number(value.toPrecision(3)) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** A number for a person: to three digits, and from 1,000 on whole: `0.42`, `16.3`, `1,234`. */
export function formatNumber(value: number): string {
  return value < 999.5 ? threeDigits(value) : formatCount(value);
}

/** `1 orchestration`, `1,000 orchestrations`, `2 activities`, `3 processes`. */
export function plural(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${formatCount(count)} ${pluralOf(noun)}`;
}

function pluralOf(noun: string): string {
  if (/[^aeiou]y$/u.test(noun)) return `${noun.slice(0, -1)}ies`;
  return noun.endsWith("s") ? `${noun}es` : `${noun}s`;
}
