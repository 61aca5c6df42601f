import { status } from "@grpc/grpc-js";
import { isServiceError } from "../backend/call-retry.js";
import { errorText } from "../format/error-text.js";

/** The unary calls that a worker makes. No answer to one of them holds anything. */
export type WorkerMethod =
  | "Hello"
  | "CompleteActivityTask"
  | "CompleteOrchestratorTask"
  | "AbandonTaskActivityWorkItem"
  | "AbandonTaskOrchestratorWorkItem"
  | "AbandonTaskEntityWorkItem";

/** Receives the events of a stream of work items. */
export interface WorkItemListener {
  /** The backend has taken the worker on. A stream that it refuses is never open. */
  onOpen(): void;
  /** An encoded WorkItem. */
  onItem(item: Buffer): void;
  /** Once, and behind all else. Without an error it was the backend that ended the stream. */
  onEnd(error: Error | undefined): void;
}

/** A stream of work items. */
export interface WorkItemStream {
  /** Asks for no more; what has arrived stays the worker's. `onEnd` follows. */
  cancel(): void;
  /**
   * Reads no more until `resume`, while calls go on. What has arrived may still be told. On a link nothing happens: there
   * the emulator keeps to what the worker has asked for.
   */
  pause(): void;
  resume(): void;
}

/**
 * A worker's connection to a backend, with messages as bytes. It is one connection for as long as the worker lives, lost
 * and made again underneath, because a backend that ties leases to connections takes work back from a worker that
 * leaves one.
 */
export interface WorkerChannel {
  /** Rejects with a ServiceError. */
  call(method: WorkerMethod, request: Buffer, deadlineMs: number): Promise<void>;
  /**
   * Asks for work items by a GetWorkItemsRequest. Rejects where the stream cannot even be asked for, because there is no
   * credential for it.
   */
  takeWorkItems(request: Buffer, listener: WorkItemListener): Promise<WorkItemStream>;
  close(): void;
}

export const SERVICE = "/TaskHubSidecarService/";

/** An error in a few words for a person: the gRPC status by name, and what came with it. */
export function describeError(error: unknown): string {
  if (isServiceError(error)) return `${status[error.code]}: ${error.details}`;

  return errorText(error);
}
