import { status } from "@grpc/grpc-js";
import { grpcError } from "../backend/grpc-error.js";
import type { LinkGreeting } from "../protocol/link.js";
import { LinkSession } from "./link-session.js";
import type { WorkItemListener, WorkItemStream, WorkerChannel, WorkerMethod } from "./worker-channel.js";

/** A worker's connection to an emulator of the same version, without gRPC: see `protocol/link.ts`. */
export class LinkChannel implements WorkerChannel {
  readonly #path: string;
  readonly #greeting: LinkGreeting;
  #session: LinkSession | undefined;
  #closed = false;

  /** `path` is the path of the emulator's Unix socket. */
  constructor(path: string, greeting: LinkGreeting) {
    this.#path = path;
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
    if (this.#session?.isLost !== false) this.#session = new LinkSession(this.#path, this.#greeting);
    return this.#session;
  }
}
