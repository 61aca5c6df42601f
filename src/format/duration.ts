import { threeDigits } from "./count.js";

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const PARTS =
  /^(?:(?<d>\d+(?:\.\d+)?)d)?(?:(?<h>\d+(?:\.\d+)?)h)?(?:(?<m>\d+(?:\.\d+)?)m(?!s))?(?:(?<s>\d+(?:\.\d+)?)s)?(?:(?<ms>\d+(?:\.\d+)?)ms)?$/u;

/** The input of `parseDuration`, for an error message. */
export const DURATION_EXPECTED = "a duration such as 500ms, 30s, 1m30s or 2h";

/**
 * Reads a duration as people write it: `500ms`, `1.5s`, `1m30s`, `2h`, `7d`. The unit is never guessed.
 * Returns milliseconds, or undefined for anything else.
 */
export function parseDuration(text: string): number | undefined {
  const groups = PARTS.exec(text.trim().replaceAll(" ", ""))?.groups;
  if (!groups) return undefined;
  const parts = Object.entries(UNIT_MS).flatMap(([unit, ms]) => {
    const amount = groups[unit];
    return amount === undefined ? [] : [Number(amount) * ms];
  });
  return parts.length === 0 ? undefined : parts.reduce((sum, part) => sum + part, 0);
}

/** Milliseconds for a person, to three digits: `0.41 ms`, `412 ms`, `1.24 s`, `1m30s`, `2h5m`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${threeDigits(ms)} ms`;
  if (ms < 59_950) return `${threeDigits(ms / 1_000)} s`;
  const seconds = Math.round(ms / 1_000);
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  if (hours > 0) return minutes > 0 ? `${hours}h${minutes}m` : `${hours}h`;
  return seconds % 60 > 0 ? `${minutes}m${seconds % 60}s` : `${minutes}m`;
}
