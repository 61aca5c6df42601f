import { setTimeout as sleep } from "node:timers/promises";

/** Resolves after so many milliseconds, or when the signal aborts. Code that waits is given one, so that tests need not. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

export const wait: Wait = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {});
