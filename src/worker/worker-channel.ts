import { status } from "@grpc/grpc-js";
import { isServiceError } from "../backend/call-retry.js";
import { errorText } from "../format/error-text.js";

/** The unary calls of a worker. Their answers hold nothing. */
export type WorkerMethod =
  | "Hello"
  | "CompleteActivityTask"
  | "CompleteOrchestratorTask"
  | "AbandonTaskActivityWorkItem"
  | "AbandonTaskOrchestratorWorkItem"
  | "AbandonTaskEntityWorkItem";

/** Receives the events of a stream of work items. */
export interface WorkItemListener {
  /** The backend has accepted the worker. A refused stream never opens. */
  onOpen(): void;
  /** Called with an encoded WorkItem. */
  onItem(item: Buffer): void;
  /** Called once, after everything else. No error means that the backend ended the stream. */
  onEnd(error: Error | undefined): void;
}

/** A stream of work items. */
export interface WorkItemStream {
  /** Asks for no more work. The worker keeps the items that have arrived. `onEnd` follows. */
  cancel(): void;
  /**
   * Stops reading until `resume`, while calls continue. Items that have arrived may still be delivered. On a link it
   * does nothing, because the emulator never exceeds the worker's request.
   */
  pause(): void;
  resume(): void;
}

/**
 * A worker's connection to a backend, with messages as bytes. A lost connection is made again inside it. It is one
 * connection for the worker's whole life, because some backends tie leases to connections and take work back from a
 * worker that leaves one.
 */
export interface WorkerChannel {
  /** Rejects with a ServiceError. */
  call(method: WorkerMethod, request: Buffer, deadlineMs: number): Promise<void>;
  /** Asks for work items with a GetWorkItemsRequest. Rejects if there is no credential for the stream. */
  takeWorkItems(request: Buffer, listener: WorkItemListener): Promise<WorkItemStream>;
  close(): void;
}

export const SERVICE = "/TaskHubSidecarService/";

/** Describes an error in a few words for a person: the name of the gRPC status, and its details. */
export function describeError(error: unknown): string {
  if (isServiceError(error)) return `${status[error.code]}: ${error.details}`;

  return errorText(error);
}
