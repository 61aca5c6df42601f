import { status } from "@grpc/grpc-js";
import { isServiceError } from "./call-retry.js";

/** The gRPC status code that a call failed with, as long as nobody has explained it as something else. */
export function grpcCodeOf(error: unknown): number | undefined {
  return isServiceError(error) ? error.code : undefined;
}

/** Why it is not known what is on a hub. */
export const NO_QUERY = "the backend has no QueryInstances (UNIMPLEMENTED)";

/**
 * Whether a backend answered that it does not have the call. durabletask-go, for one, has no QueryInstances, and says so
 * with an error of Go's, which arrives as UNKNOWN.
 */
export function isMissingCall(error: unknown): boolean {
  if (!isServiceError(error)) return false;
  return error.code === status.UNIMPLEMENTED || (error.code === status.UNKNOWN && error.details === "unimplemented");
}

/**
 * Whether a backend does not take a call about a batch of instances. To durabletask-go, which knows no batches, it is a
 * call about an instance without an id: UNKNOWN.
 */
export function isMissingBatch(error: unknown): boolean {
  const refusals: readonly unknown[] = [status.UNIMPLEMENTED, status.INVALID_ARGUMENT, status.UNKNOWN];
  return refusals.includes(grpcCodeOf(error));
}

/** Errors that are not about one instance: the backend is away, refuses us, or does not purge at all. */
export function isOfTheBackend(error: unknown): boolean {
  const codes: readonly unknown[] = [
    undefined,
    status.UNAVAILABLE,
    status.UNAUTHENTICATED,
    status.PERMISSION_DENIED,
    status.UNIMPLEMENTED,
  ];
  return codes.includes(grpcCodeOf(error));
}
