import { status } from "@grpc/grpc-js";
import { isServiceError } from "./call-retry.js";

/** The gRPC status code of a failed call, unless it was explained as another error. */
export function grpcCodeOf(error: unknown): number | undefined {
  return isServiceError(error) ? error.code : undefined;
}

/** Why the content of a hub is unknown. */
export const NO_QUERY = "the backend has no QueryInstances (UNIMPLEMENTED)";

/**
 * Whether a backend answered that it lacks the call. durabletask-go has no QueryInstances and reports it as UNKNOWN.
 */
export function isMissingCall(error: unknown): boolean {
  if (!isServiceError(error)) return false;
  return error.code === status.UNIMPLEMENTED || (error.code === status.UNKNOWN && error.details === "unimplemented");
}

/**
 * Whether a backend does not accept a batch of instances. For durabletask-go, a batch is a call without an instance id,
 * which it answers with UNKNOWN.
 */
export function isMissingBatch(error: unknown): boolean {
  const refusals: readonly unknown[] = [status.UNIMPLEMENTED, status.INVALID_ARGUMENT, status.UNKNOWN];
  return refusals.includes(grpcCodeOf(error));
}

/** Whether an error concerns the whole backend, not one instance: it is away, refuses the caller, or does not purge. */
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
