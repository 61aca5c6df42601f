const BYTES = /^(?<number>\d{1,3}(?:[,_]\d{3})+|\d+(?:\.\d+)?) ?(?:(?<prefix>[kmgt])(?<binary>i)?)?b?$/iu;
const PREFIXES = "kmgt";

/** The input of `parseBytes`, for an error message. */
export const BYTES_EXPECTED = "bytes such as 1000, 64k, 2MB or 1MiB";

/**
 * Reads bytes as people write them, in any letter case: `1000`, `1,000`, `64k`, `64 kB`, `1.5MB`, `2M`, `1MiB`. k, M, G
 * and T are powers of 1,000, with an i of 1,024. Returns undefined for anything else, and for what a number cannot hold
 * exactly.
 */
export function parseBytes(text: string): number | undefined {
  const { number, prefix, binary } = BYTES.exec(text.trim())?.groups ?? {};
  if (number === undefined) return undefined;
  const power = prefix === undefined ? 0 : PREFIXES.indexOf(prefix.toLowerCase()) + 1;
  const bytes = Number(number.replaceAll(/[,_]/gu, "")) * (binary === undefined ? 1_000 : 1_024) ** power;
  // Half a byte is none; a tenth of a kilobyte is not exact in binary.
  const whole = Math.round(bytes);
  return Number.isSafeInteger(whole) && Math.abs(bytes - whole) < 1e-6 * Math.max(1, whole) ? whole : undefined;
}
