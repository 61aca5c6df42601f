import { Client, type Metadata } from "@grpc/grpc-js";
import type { GrpcTarget } from "./backend.js";
import { unaryCall } from "./unary-call.js";
import { CALLS_PER_CONNECTION, type UnaryCallOptions, type UnaryConnection } from "./unary-connection.js";

/** A connection of grpc-js. */
export class GrpcJsConnection implements UnaryConnection {
  calls = 0;
  readonly mostCalls = CALLS_PER_CONNECTION;
  readonly #client: Client;

  constructor({ address, credentials, options }: GrpcTarget) {
    this.#client = new Client(address, credentials, options);
  }

  async call(
    path: string,
    request: Uint8Array,
    metadata: Metadata,
    { signal, timeoutMs }: UnaryCallOptions,
  ): Promise<Buffer> {
    const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
    this.calls += 1;
    try {
      return await unaryCall(this.#client, path, request, metadata, { signal, ...deadline });
    } finally {
      this.calls -= 1;
    }
  }

  close(): void {
    this.#client.close();
  }
}
