import type { Metadata } from "@grpc/grpc-js";
import type { GrpcTarget } from "./grpc-target.js";
import { GrpcJsConnection } from "./grpc-js-connection.js";
import { Http2Connection } from "./http2-connection.js";
import type { ReadCallOptions, UnaryCallOptions, UnaryConnection } from "./unary-connection.js";

/** Connections to one target, as many as the calls in progress need. */
export class ClientPool {
  readonly #target: GrpcTarget;
  readonly #connections: UnaryConnection[] = [];

  constructor(target: GrpcTarget) {
    this.#target = target;
  }

  /** Makes a call on bytes, on a connection that has room for it. Rejects with a ServiceError. */
  call(path: string, request: Uint8Array, metadata: Metadata, options: UnaryCallOptions): Promise<Buffer> {
    return this.#withRoom().call(path, request, metadata, options);
  }

  /** As `call`, for an answer of any number of messages. */
  read(path: string, request: Uint8Array, metadata: Metadata, options: ReadCallOptions): Promise<void> {
    return this.#withRoom().read(path, request, metadata, options);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #withRoom(): UnaryConnection {
    for (const connection of this.#connections) if (connection.calls < connection.mostCalls) return connection;

    const target = this.#target;
    const { transport = "grpc-js" } = target;
    const connection = transport === "grpc-js" ? new GrpcJsConnection(target) : new Http2Connection(target);
    this.#connections.push(connection);
    return connection;
  }
}
