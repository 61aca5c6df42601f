import { formatCount, threeDigits } from "./count.js";

/** A rate for a person: `0.42/s`, `16.3/s`, `1,234/s`. */
export function formatRate(perSecond: number): string {
  return perSecond < 99.95 ? `${threeDigits(perSecond)}/s` : `${formatCount(perSecond)}/s`;
}
