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
  /** Whether an error says so; absent: UNAVAILABLE does. */
  readonly isAway?: (error: ServiceError) => boolean;
  /** Awaited between a failed attempt and the next one. */
  readonly recover: () => Promise<void>;
  /** The error to throw for the last one. `attempts` is the number of attempts in a row that found the backend away. */
  readonly explain: (error: ServiceError, attempts: number) => unknown;
}

/** What all calls of a client know of the backend together. */
export interface AttemptGate {
  /** Resolves when an attempt may be made, or the signal aborts. */
  ready(signal: AbortSignal | undefined): Promise<void>;
  answered(): void;
  failed(error: ServiceError): void;
  /** Whether a failed call should give up without more attempts. */
  readonly isHopeless: boolean;
}

export interface Retry extends RetryPolicy {
  /** Called with each failed attempt. */
  readonly onFailure: (error: ServiceError) => void;
  readonly signal?: AbortSignal | undefined;
  readonly gate?: AttemptGate;
}

/**
 * Repeats a call while the backend is away. Throws the error of the last attempt, explained if it is a ServiceError, or
 * the signal's reason after an abort.
 */
export async function withRetry<T>(attempt: () => Promise<T>, retry: Retry): Promise<T> {
  const { gate, signal } = retry;
  let attempts = 0;
  for (;;) {
    signal?.throwIfAborted();
    await gate?.ready(signal);
    signal?.throwIfAborted();
    const startedMs = performance.now();
    try {
      const result = await attempt();
      gate?.answered();
      return result;
    } catch (error) {
      signal?.throwIfAborted();
      if (!isServiceError(error)) throw error;

      retry.onFailure(error);
      gate?.failed(error);
      attempts = performance.now() - startedMs > FOUND_MS ? 1 : attempts + 1;
      const isOver = attempts === retry.maxAttempts || gate?.isHopeless;
      const { isAway = isUnavailable } = retry;
      if (!isAway(error) || isOver) throw retry.explain(error, attempts);

      await retry.recover();
    }
  }
}

export function isUnavailable({ code }: ServiceError): boolean {
  return code === status.UNAVAILABLE;
}

/** Pauses for 50 to 250 ms. */
export async function pause(): Promise<void> {
  await setTimeout(50 + Math.random() * 200);
}
