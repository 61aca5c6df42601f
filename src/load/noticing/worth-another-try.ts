import { FanoutError } from "../../errors.js";

/** Before a call that failed is made again. */
export const RETRY_PAUSE_MS = 1_000;

/** UNKNOWN, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE: may be asked again. */
const WORTH_ANOTHER_TRY = new Set<unknown>([1, 2, 4, 8, 10, 13, 14]);

/** Until the run's own timeout a backend that is away, a FanoutError, may come back with all it had. */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof FanoutError) return true;
  return error instanceof Error && "code" in error && WORTH_ANOTHER_TRY.has(error.code);
}
