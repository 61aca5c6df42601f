import type { Metadata } from "@grpc/grpc-js";

/**
 * The limit of concurrent calls on one connection. Most servers allow 100 streams. A call beyond that would wait inside
 * the client, where it looks like a slow backend.
 */
export const CALLS_PER_CONNECTION = 80;

export interface UnaryCallOptions {
  /** An abort cancels the call, which rejects with gRPC's CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** The call rejects with DEADLINE_EXCEEDED if it takes longer. */
  readonly timeoutMs?: number | undefined;
}

export interface ReadCallOptions extends UnaryCallOptions {
  /** @throws ServiceError for an illegal message, which ends the call */
  readonly onMessage: (message: Buffer) => void;
}

/** One connection. The first call makes it, and a call that finds it lost makes it again. */
export interface UnaryConnection {
  /** The number of calls in progress. */
  readonly calls: number;
  /** The limit of `calls`. */
  readonly mostCalls: number;
  /** Makes a call on bytes. Rejects with a ServiceError. */
  call(path: string, request: Uint8Array, metadata: Metadata, options: UnaryCallOptions): Promise<Buffer>;
  /** Makes a call whose answer is any number of messages. Resolves after the last one. */
  read(path: string, request: Uint8Array, metadata: Metadata, options: ReadCallOptions): Promise<void>;
  /** Calls in progress continue; no further calls may be made. */
  close(): void;
}
