import { FanoutError } from "../../errors.js";

/** The pause before a failed call is repeated. */
export const RETRY_PAUSE_MS = 1_000;

/**
 * UNKNOWN, DEADLINE_EXCEEDED, CANCELLED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL and UNAVAILABLE: a retry may succeed.
 */
const WORTH_ANOTHER_TRY = new Set<unknown>([1, 2, 4, 8, 10, 13, 14]);

/** A backend that is away, which is a FanoutError, may return with all its state before the run's timeout. */
export function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof FanoutError) return true;
  return error instanceof Error && "code" in error && WORTH_ANOTHER_TRY.has(error.code);
}
