import type { GrpcTarget } from "../backend/grpc-target.js";
import { Http2Connection } from "../backend/http2-connection.js";
import {
  SERVICE,
  type WorkItemListener,
  type WorkItemStream,
  type WorkerChannel,
  type WorkerMethod,
} from "./worker-channel.js";

/** A worker's connection over HTTP/2 alone. Calls and work items share one session while it lives. */
export class Http2Channel implements WorkerChannel {
  readonly #target: GrpcTarget;
  readonly #workerId: string;
  readonly #connection: Http2Connection;

  constructor(target: GrpcTarget, workerId: string) {
    this.#target = target;
    this.#workerId = workerId;
    this.#connection = new Http2Connection(target);
  }

  async call(method: WorkerMethod, request: Buffer, deadlineMs: number): Promise<void> {
    const metadata = await this.#target.metadata("worker", this.#workerId);
    await this.#connection.call(SERVICE + method, request, metadata, { timeoutMs: deadlineMs });
  }

  async takeWorkItems(request: Buffer, listener: WorkItemListener): Promise<WorkItemStream> {
    const metadata = await this.#target.metadata("worker", this.#workerId);
    return this.#connection.stream(`${SERVICE}GetWorkItems`, request, metadata, {
      onOpen: () => listener.onOpen(),
      onMessage: (item) => listener.onItem(item),
      onEnd: (error) => listener.onEnd(error),
    });
  }

  close(): void {
    this.#connection.close();
  }
}
