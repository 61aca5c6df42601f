import { formatCount, threeDigits } from "./count.js";

const UNITS = ["kB", "MB", "GB"] as const;

/** Bytes for a person, to three digits, in powers of a thousand: `0 B`, `4.10 kB`, `14.2 MB`, `1,234 GB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit: string = "B";
  for (const next of UNITS) {
    if (value < 999.5) break;
    value /= 1_000;
    unit = next;
  }
  return `${value < 999.5 ? threeDigits(value) : formatCount(value)} ${unit}`;
}
