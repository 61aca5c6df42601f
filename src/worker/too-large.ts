import type { ServiceError } from "@grpc/grpc-js";
import { formatBytes } from "../format/bytes.js";
import { formatCount } from "../format/count.js";
import { writeOrchestratorFailure } from "../protocol/orchestrator-failure.js";
import { readRequestHead } from "../protocol/orchestrator-request.js";
import { readActivityRequest, writeActivityFailure } from "../protocol/read-work-item.js";
import type { RunnableWorkItem } from "./executor.js";

/** Replaces a completion that is too large for the backend with a failure that says so. */
export function failureOf(
  { kind, request, completionToken }: RunnableWorkItem,
  bytes: number,
  refusal: ServiceError,
): Buffer {
  if (kind === "orchestrator") {
    const { instanceId } = readRequestHead(request);
    return writeOrchestratorFailure(instanceId, completionToken, new TooLargeError("The episode", bytes, refusal));
  }
  const activity = readActivityRequest(request);
  const error = new TooLargeError(`The result of the activity "${activity.name}"`, bytes, refusal);
  // Another attempt would have the same result.
  return writeActivityFailure(activity, completionToken, error, true);
}

class TooLargeError extends Error {
  override readonly name = "TooLargeError";

  constructor(what: string, bytes: number, { details }: ServiceError) {
    super(
      `${what} is too large for the backend: ${formatCount(bytes)} bytes (${formatBytes(bytes)}). It answered: ${details}`,
    );
  }
}
