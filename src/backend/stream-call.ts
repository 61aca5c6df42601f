import type { CallOptions as GrpcCallOptions, Client, Metadata, ServiceError } from "@grpc/grpc-js";
import { dropAbort, onAbort } from "./abort-callbacks.js";
import { toldError } from "./grpc-error.js";
import { asBuffer, asIs } from "./unary-call.js";

export interface StreamCallOptions extends GrpcCallOptions {
  readonly signal?: AbortSignal | undefined;
  /** @throws ServiceError for an illegal message, which ends the call */
  readonly onMessage: (message: Buffer) => void;
}

/**
 * Makes a call whose answer is any number of messages. Resolves after the last one. An abort cancels the call and
 * rejects with gRPC's CANCELLED.
 */
export function streamCall(
  client: Client,
  path: string,
  request: Uint8Array,
  metadata: Metadata,
  { signal, onMessage, ...options }: StreamCallOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = client.makeServerStreamRequest(path, asBuffer, asIs, request, metadata, options);
    let headers: Metadata | undefined;
    let refusal: ServiceError | undefined;
    const cancel = (): void => stream.cancel();
    stream.once("metadata", (received: Metadata) => (headers = received));
    stream.on("data", (message: Buffer) => {
      if (refusal !== undefined) return;
      try {
        onMessage(message);
      } catch (error) {
        refusal = error as ServiceError;
        cancel();
      }
    });
    stream.on("error", (error: ServiceError) => {
      if (signal) dropAbort(signal, cancel);
      reject(refusal ?? toldError(error, headers));
    });
    stream.on("end", () => {
      if (signal) dropAbort(signal, cancel);
      if (refusal === undefined) resolve();
    });
    if (signal) onAbort(signal, cancel);
  });
}
