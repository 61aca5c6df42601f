import type { Socket } from "node:net";
import type { SteadyTime } from "../clock/system-time.js";
import type { Handler } from "../service/call.js";
import { RpcError } from "../../protocol/rpc-error.js";

/** How long a connection that is one too many stays, so that it can be told why. */
const LINGER_MS = 1_000;

/**
 * Handlers for a connection that is one too many: they tell so, whatever is called but what is in `always`. It is closed
 * in a second.
 */
export function refuseConnection(
  socket: Socket,
  mostConnections: number,
  always: ReadonlyMap<string, Handler>,
  clock: SteadyTime,
): ReadonlyMap<string, Handler> {
  socket.once(
    "close",
    clock.after(LINGER_MS, () => socket.destroy()),
  );
  return new Refusal(mostConnections, always);
}

class Refusal extends Map<string, Handler> {
  readonly #mostConnections: number;
  readonly #always: ReadonlyMap<string, Handler>;

  constructor(mostConnections: number, always: ReadonlyMap<string, Handler>) {
    super();
    this.#mostConnections = mostConnections;
    this.#always = always;
  }

  override get(path: string): Handler {
    return (
      this.#always.get(path) ??
      (() => {
        throw new RpcError(
          "RESOURCE_EXHAUSTED",
          `The emulator has ${this.#mostConnections} connections here, which is its limit: this one is closed.`,
        );
      })
    );
  }
}
