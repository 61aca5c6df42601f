import { Client } from "@grpc/grpc-js";
import type { GrpcTarget } from "./backend.js";

/**
 * Calls under way on one connection at most: servers allow 100 streams as a rule, and a call beyond that would wait
 * inside the client, where it looks like a slow backend.
 */
const CALLS_PER_CONNECTION = 80;

/** Connections to one target, as many as the calls under way need. */
export class ClientPool {
  readonly #target: GrpcTarget;
  readonly #callsOf = new Map<Client, number>();

  constructor(target: GrpcTarget) {
    this.#target = target;
  }

  /** Makes one call, for as long as its promise lasts, on a connection that has room for it. */
  async use<T>(call: (client: Client) => Promise<T>): Promise<T> {
    const client = this.#withRoom();
    this.#callsOf.set(client, (this.#callsOf.get(client) ?? 0) + 1);
    try {
      return await call(client);
    } finally {
      this.#callsOf.set(client, (this.#callsOf.get(client) ?? 1) - 1);
    }
  }

  close(): void {
    for (const client of this.#callsOf.keys()) {
      client.close();
    }
  }

  #withRoom(): Client {
    for (const [client, calls] of this.#callsOf) {
      if (calls < CALLS_PER_CONNECTION) {
        return client;
      }
    }
    return new Client(this.#target.address, this.#target.credentials, this.#target.options);
  }
}
