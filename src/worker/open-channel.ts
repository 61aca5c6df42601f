import type { Backend } from "../backend/backend.js";
import { GrpcJsChannel } from "./grpc-js-channel.js";
import { Http2Channel } from "./http2-channel.js";
import { LinkChannel } from "./link-channel.js";
import type { WorkerChannel } from "./worker-channel.js";

/** Opens the channel of the target's transport. */
export function openChannel(
  { target, connection }: Pick<Backend, "target" | "connection">,
  workerId: string,
): WorkerChannel {
  switch (target.transport) {
    case "link":
      return new LinkChannel(target, { taskHub: connection.taskHub, workerId });
    case "http2":
      return new Http2Channel(target, workerId);
    default:
      return new GrpcJsChannel(target, workerId);
  }
}
