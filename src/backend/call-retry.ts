import { setTimeout } from "node:timers/promises";
import { status, type ServiceError } from "@grpc/grpc-js";

/** A call that was under way for so long had found the backend: what follows is another absence. */
const FOUND_MS = 1_000;

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error && typeof error.code === "number";
}

/** What to do about a backend that is away. */
export interface RetryPolicy {
  /** Attempts in a row that find it away, the first included. */
  readonly maxAttempts: number;
  /** Awaited between a failed attempt and the next. */
  readonly recover: () => Promise<void>;
  /** What to throw in place of the last error, given the attempts in a row that found the backend away. */
  readonly explain: (error: ServiceError, attempts: number) => unknown;
}

export interface Retry extends RetryPolicy {
  /** Called with each failed attempt. */
  readonly onFailure: (error: ServiceError) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a call again while the backend is away. Throws what the last attempt threw, explained where it is a
 * ServiceError; an abort as the signal's reason.
 */
export async function withRetry<T>(attempt: () => Promise<T>, retry: Retry): Promise<T> {
  let attempts = 0;
  for (;;) {
    retry.signal?.throwIfAborted();
    const startedMs = performance.now();
    try {
      return await attempt();
    } catch (error) {
      retry.signal?.throwIfAborted();
      if (!isServiceError(error)) throw error;

      retry.onFailure(error);
      attempts = performance.now() - startedMs > FOUND_MS ? 1 : attempts + 1;
      if (error.code !== status.UNAVAILABLE || attempts === retry.maxAttempts) throw retry.explain(error, attempts);

      await retry.recover();
    }
  }
}

/** A pause of 50 to 250 ms. */
export async function pause(): Promise<void> {
  await setTimeout(50 + Math.random() * 200);
}
