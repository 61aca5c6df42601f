import { EMPTY_BYTES } from "../protocol/empty-bytes.js";
import type { CallOptions as GrpcCallOptions, Client, Metadata, ServiceError } from "@grpc/grpc-js";
import { dropAbort, onAbort } from "./abort-callbacks.js";
import { toldError } from "./grpc-error.js";

/** The identity: messages are bytes on both sides of a call. */
export const asIs = (bytes: Buffer): Buffer => bytes;
/** grpc-js copies messages with a method that only Buffers have. */
export const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Makes a unary call on bytes. An abort cancels it and rejects with gRPC's CANCELLED. */
export function unaryCall(
  client: Client,
  path: string,
  request: Uint8Array,
  metadata: Metadata,
  { signal, ...options }: GrpcCallOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, response?: Buffer): void => {
      if (signal) dropAbort(signal, cancel);
      if (error !== null) reject(toldError(error, headers));
      else resolve(response ?? EMPTY_BYTES);
    };
    const call = client.makeUnaryRequest(path, asBuffer, asIs, request, metadata, options, done);
    let headers: Metadata | undefined;
    call.once("metadata", (received: Metadata) => (headers = received));
    const cancel = (): void => {
      call.cancel();
    };
    if (signal) onAbort(signal, cancel);
  });
}
