import { setTimeout } from "node:timers/promises";
import { status, type ServiceError } from "@grpc/grpc-js";

/** A call that took this long had reached the backend. Its failure begins a new count of attempts. */
const FOUND_MS = 1_000;

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && "code" in error && "details" in error && typeof error.code === "number";
}

/** How to react if the backend is away. */
export interface RetryPolicy {
  /** Attempts in a row that find the backend away, including the first. */
  readonly maxAttempts: number;
  /** Awaited between a failed attempt and the next one. */
  readonly recover: () => Promise<void>;
  /** The error to throw for the last one. `attempts` is the number of attempts in a row that found the backend away. */
  readonly explain: (error: ServiceError, attempts: number) => unknown;
}

export interface Retry extends RetryPolicy {
  /** Called with each failed attempt. */
  readonly onFailure: (error: ServiceError) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Repeats a call while the backend is away. Throws the error of the last attempt, explained if it is a ServiceError, or
 * the signal's reason after an abort.
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

/** Pauses for 50 to 250 ms. */
export async function pause(): Promise<void> {
  await setTimeout(50 + Math.random() * 200);
}
