import type { ClockOffset } from "../result/run-result.js";

type ClockRange = Pick<ClockOffset, "offsetMs" | "boundMs">;

/** The smallest range that holds all of them, of which there is at least one. */
export function wholeRange(ranges: readonly ClockRange[]): ClockRange {
  const low = Math.min(...ranges.map(({ offsetMs, boundMs }) => offsetMs - boundMs));
  const high = Math.max(...ranges.map(({ offsetMs, boundMs }) => offsetMs + boundMs));
  return { offsetMs: (low + high) / 2, boundMs: (high - low) / 2 };
}
