import type { ServiceError } from "@grpc/grpc-js";
import { FollowingClient } from "../backend/following-client.js";
import type { GrpcTarget } from "../backend/grpc-target.js";
import { toldError } from "../backend/grpc-error.js";
import { asIs, unaryCall } from "../backend/unary-call.js";
import {
  SERVICE,
  type WorkItemListener,
  type WorkItemStream,
  type WorkerChannel,
  type WorkerMethod,
} from "./worker-channel.js";

/** A worker's connection with grpc-js. */
export class GrpcJsChannel implements WorkerChannel {
  readonly #target: GrpcTarget;
  readonly #workerId: string;
  readonly #client: FollowingClient;

  constructor(target: GrpcTarget, workerId: string) {
    this.#target = target;
    this.#workerId = workerId;
    this.#client = new FollowingClient(target);
  }

  async call(method: WorkerMethod, request: Buffer, deadlineMs: number): Promise<void> {
    const metadata = await this.#target.metadata("worker", this.#workerId);
    await unaryCall(this.#client.now, SERVICE + method, request, metadata, { deadline: Date.now() + deadlineMs });
  }

  async takeWorkItems(request: Buffer, listener: WorkItemListener): Promise<WorkItemStream> {
    const metadata = await this.#target.metadata("worker", this.#workerId);
    const path = `${SERVICE}GetWorkItems`;
    const stream = this.#client.now.makeServerStreamRequest(path, asIs, asIs, request, metadata);
    stream.once("metadata", () => listener.onOpen());
    stream.on("data", (item: Buffer) => listener.onItem(item));
    stream.on("error", (error: ServiceError) => listener.onEnd(toldError(error)));
    stream.on("end", () => listener.onEnd(undefined));
    return stream;
  }

  close(): void {
    this.#client.close();
  }
}
