import type { GrpcTarget } from "../backend/backend.js";
import { GrpcJsChannel } from "./grpc-js-channel.js";
import type { WorkerChannel } from "./worker-channel.js";

/** The channel of the transport that the target asks for. */
export function openChannel(target: GrpcTarget, workerId: string): WorkerChannel {
  return new GrpcJsChannel(target, workerId);
}
