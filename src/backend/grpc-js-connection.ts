import type { Metadata } from "@grpc/grpc-js";
import type { GrpcTarget } from "./grpc-target.js";
import { FollowingClient } from "./following-client.js";
import { streamCall } from "./stream-call.js";
import { unaryCall } from "./unary-call.js";
import {
  CALLS_PER_CONNECTION,
  type ReadCallOptions,
  type UnaryCallOptions,
  type UnaryConnection,
} from "./unary-connection.js";

/** A connection of grpc-js. */
export class GrpcJsConnection implements UnaryConnection {
  calls = 0;
  readonly mostCalls = CALLS_PER_CONNECTION;
  readonly #client: FollowingClient;

  constructor(target: GrpcTarget) {
    this.#client = new FollowingClient(target);
  }

  call(path: string, request: Uint8Array, metadata: Metadata, options: UnaryCallOptions): Promise<Buffer> {
    return this.#counted(unaryCall(this.#client.now, path, request, metadata, withDeadline(options)));
  }

  read(path: string, request: Uint8Array, metadata: Metadata, options: ReadCallOptions): Promise<void> {
    const { onMessage } = options;
    return this.#counted(
      streamCall(this.#client.now, path, request, metadata, { ...withDeadline(options), onMessage }),
    );
  }

  close(): void {
    this.#client.close();
  }

  async #counted<T>(call: Promise<T>): Promise<T> {
    this.calls += 1;
    try {
      return await call;
    } finally {
      this.calls -= 1;
    }
  }
}

function withDeadline({ signal, timeoutMs }: UnaryCallOptions) {
  return { signal, ...(timeoutMs !== undefined && { deadline: Date.now() + timeoutMs }) };
}
