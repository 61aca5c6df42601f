import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 50;
const LONGEST_MS = 2_000;

/** Milliseconds to wait after failure number `failures` (from 0): 50 doubling to 2,000, the upper half of it random. */
export function backoffMs(failures: number, random: () => number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + random() / 2);
}

/** Waits `backoffMs`, or until the signal aborts. */
export async function backOff(failures: number, signal: AbortSignal): Promise<void> {
  await wait(backoffMs(failures, Math.random), signal);
}

/** Waits for a number of milliseconds, or until the signal aborts. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  // Rejects only because the signal aborted, which the caller looks at anyway.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
