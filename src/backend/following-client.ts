import { Client } from "@grpc/grpc-js";
import type { GrpcTarget } from "./grpc-target.js";

/** A client of grpc-js that goes where its target has gone. */
export class FollowingClient {
  readonly #target: Pick<GrpcTarget, "address" | "credentials" | "options">;
  #address: string;
  #client: Client;

  constructor(target: Pick<GrpcTarget, "address" | "credentials" | "options">) {
    this.#target = target;
    this.#address = target.address;
    this.#client = this.#open();
  }

  get now(): Client {
    const { address } = this.#target;
    if (address !== this.#address) {
      this.#client.close();
      this.#address = address;
      this.#client = this.#open();
    }
    return this.#client;
  }

  close(): void {
    this.#client.close();
  }

  #open(): Client {
    const { credentials, options } = this.#target;
    return new Client(this.#address, credentials, options);
  }
}
