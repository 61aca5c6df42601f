import { status } from "@grpc/grpc-js";
import { grpcError } from "../backend/grpc-error.js";
import type { GrpcTarget } from "../backend/grpc-target.js";
import type { LinkGreeting } from "../protocol/link.js";
import { LinkSession } from "./link-session.js";
import type { WorkItemListener, WorkItemStream, WorkerChannel, WorkerMethod } from "./worker-channel.js";

type LinkTarget = Pick<GrpcTarget, "address" | "token">;

/** A worker's connection to an emulator of the same version, without gRPC: see `protocol/link.ts`. */
export class LinkChannel implements WorkerChannel {
  readonly #target: LinkTarget;
  readonly #greeting: Omit<LinkGreeting, "token">;
  #session: LinkSession | undefined;
  #closed = false;

  constructor(target: LinkTarget, greeting: Omit<LinkGreeting, "token">) {
    this.#target = target;
    this.#greeting = greeting;
  }

  async call(method: WorkerMethod, request: Buffer, deadlineMs: number): Promise<void> {
    await this.#open().call(method, request, deadlineMs);
  }

  async takeWorkItems(request: Buffer, listener: WorkItemListener): Promise<WorkItemStream> {
    return this.#open().takeWorkItems(request, listener);
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  #open(): LinkSession {
    if (this.#closed) throw grpcError(status.CANCELLED, "The channel is closed");
    if (this.#session?.isLost !== false) this.#session = this.#newSession();
    return this.#session;
  }

  #newSession(): LinkSession {
    const { address, token } = this.#target;
    return new LinkSession(address, { ...this.#greeting, ...(token !== undefined && { token }) });
  }
}
