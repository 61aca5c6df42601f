import { checkCalls, MOST_UNFINISHED_BYTES } from "./limits.js";
import { RpcError } from "./rpc-error.js";

/** What the calls of one connection take, kept within limits. */
export class ConnectionLoad {
  #calls = 0;
  #unfinishedBytes = 0;

  /** @throws RpcError if there are too many */
  beginCall(): void {
    checkCalls(this.#calls);
    this.#calls += 1;
  }

  endCall(): void {
    this.#calls -= 1;
  }

  /**
   * Room for part of a request, until `release`.
   * @throws RpcError if there is too much of it
   */
  hold(bytes: number): void {
    if (this.#unfinishedBytes + bytes > MOST_UNFINISHED_BYTES) {
      throw new RpcError(
        "RESOURCE_EXHAUSTED",
        `The connection has sent ${this.#unfinishedBytes} bytes of requests that are not complete: ` +
          `with ${bytes} more they are beyond the limit of the emulator, ${MOST_UNFINISHED_BYTES}.`,
      );
    }
    this.#unfinishedBytes += bytes;
  }

  release(bytes: number): void {
    this.#unfinishedBytes -= bytes;
  }
}
