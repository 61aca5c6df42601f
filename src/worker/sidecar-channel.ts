import { Client, status, type ClientReadableStream, type Metadata } from "@grpc/grpc-js";
import type { GrpcTarget } from "../backend/backend.js";
import { isServiceError } from "../backend/call-retry.js";
import { unaryCall } from "../backend/unary-call.js";

/** The unary calls that a worker makes. */
export type SidecarMethod =
  | "Hello"
  | "CompleteActivityTask"
  | "CompleteOrchestratorTask"
  | "AbandonTaskActivityWorkItem"
  | "AbandonTaskOrchestratorWorkItem";

/**
 * A worker's connection to TaskHubSidecarService, with messages as bytes. It is one channel for as long as the worker
 * lives, because a backend that ties leases to connections takes work back from a worker that leaves one.
 */
export class SidecarChannel {
  readonly #client: Client;

  constructor(
    private readonly target: GrpcTarget,
    private readonly workerId: string,
  ) {
    this.#client = new Client(target.address, target.credentials, target.options);
  }

  metadata(): Promise<Metadata> {
    return this.target.metadata("worker", this.workerId);
  }

  /** Rejects with grpc-js's `ServiceError`. No answer to these calls holds anything. */
  async call(method: SidecarMethod, request: Buffer, deadlineMs: number): Promise<void> {
    const metadata = await this.metadata();
    await unaryCall(this.#client, SERVICE + method, request, metadata, { deadline: Date.now() + deadlineMs });
  }

  /** A GetWorkItems stream: one encoded WorkItem each. */
  workItems(metadata: Metadata): ClientReadableStream<Buffer> {
    return this.#client.makeServerStreamRequest(`${SERVICE}GetWorkItems`, identity, identity, EMPTY_MESSAGE, metadata);
  }

  close(): void {
    this.#client.close();
  }
}

/** Also what asks for nothing: a Hello, or work items of every kind. */
export const EMPTY_MESSAGE = Buffer.alloc(0);

/** An error in a few words for a person: the gRPC status by name, and what came with it. */
export function describeError(error: unknown): string {
  if (isServiceError(error)) {
    return `${status[error.code]}: ${error.details}`;
  }
  return error instanceof Error ? error.message : String(error);
}

const SERVICE = "/TaskHubSidecarService/";

const identity = (bytes: Buffer): Buffer => bytes;
