import { setTimeout as sleep } from "node:timers/promises";

const FIRST_MS = 50;
const LONGEST_MS = 2_000;

/**
 * The wait after failure number `failures` (from 0), in milliseconds: 50 doubling to 2,000, with a random upper half.
 */
export function backoffMs(failures: number, random: () => number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** failures) * (0.5 + random() / 2);
}

/** Waits `backoffMs`, or until the signal aborts. */
export async function backOff(failures: number, signal: AbortSignal): Promise<void> {
  await wait(backoffMs(failures, Math.random), signal);
}

/** Waits `ms` milliseconds, or until the signal aborts. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  // Rejects only because the signal aborted, which the caller checks anyway.
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
