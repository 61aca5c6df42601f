import type { Socket } from "node:net";
import type { Handler } from "./grpc.js";
import { MOST_CONNECTIONS } from "./limits.js";
import { RpcError } from "./rpc-error.js";

/** How long a connection that is one too many stays, so that it can be told why. */
const LINGER_MS = 1_000;

/** Handlers for a connection that is one too many: they tell so, whatever is called. It is closed in a second. */
export function refuseConnection(socket: Socket): ReadonlyMap<string, Handler> {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => {
    clearTimeout(timer);
  });
  return new Refusal();
}

class Refusal extends Map<string, Handler> {
  override get(): Handler {
    return () => {
      throw new RpcError(
        "RESOURCE_EXHAUSTED",
        `The emulator has ${MOST_CONNECTIONS} connections, which is its limit: this one is closed.`,
      );
    };
  }
}
