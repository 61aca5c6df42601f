import type { Metadata } from "@grpc/grpc-js";

/**
 * Calls under way on one connection at most: servers allow 100 streams as a rule, and a call beyond that would wait
 * inside the client, where it looks like a slow backend.
 */
export const CALLS_PER_CONNECTION = 80;

export interface UnaryCallOptions {
  /** An abort cancels the call, which rejects with gRPC's CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  /** The call rejects with DEADLINE_EXCEEDED if it takes longer. */
  readonly timeoutMs?: number | undefined;
}

export interface ReadCallOptions extends UnaryCallOptions {
  /** @throws ServiceError for a message that may not come: it ends the call */
  readonly onMessage: (message: Buffer) => void;
}

/** One connection, made when the first call needs it and again when a call finds it lost. */
export interface UnaryConnection {
  /** Calls under way. */
  readonly calls: number;
  /** How many there may be. */
  readonly mostCalls: number;
  /** Makes a call on bytes. Rejects with a ServiceError. */
  call(path: string, request: Uint8Array, metadata: Metadata, options: UnaryCallOptions): Promise<Buffer>;
  /** Makes a call that is answered by any number of messages. Resolves behind the last of them. */
  read(path: string, request: Uint8Array, metadata: Metadata, options: ReadCallOptions): Promise<void>;
  /** Calls under way go on; no other may be made. */
  close(): void;
}
