import { FAIR_UNREAD_BYTES, checkCalls } from "../limits/limits.js";
import type { MemoryBudget } from "./memory-budget.js";
import { RpcError } from "../../protocol/rpc-error.js";

/** What the calls of one connection take, within its own limit of calls and what all connections may hold together. */
export class ConnectionLoad {
  readonly #budget: MemoryBudget;
  #calls = 0;
  /** Bytes of streams that the client has not taken yet. */
  #unread = 0;

  constructor(budget: MemoryBudget) {
    this.#budget = budget;
  }

  /**
   * Room for a call and its headers, until `endCall`.
   * @throws RpcError if there are too many
   */
  beginCall(bytes: number): void {
    checkCalls(this.#calls);
    this.hold(bytes);
    this.#calls += 1;
  }

  endCall(bytes: number): void {
    this.#calls -= 1;
    this.release(bytes);
  }

  /** Room for a call that is told that it is refused, until `release`; false if there is none. */
  holdRefused(bytes: number): boolean {
    return this.#budget.takeForRefusal(bytes);
  }

  /**
   * Room for part of a request or an answer, until `release`.
   * @throws RpcError if there is none
   */
  hold(bytes: number): void {
    if (!this.#budget.take(bytes)) throw noRoom(this.#budget, bytes);
  }

  release(bytes: number): void {
    this.#budget.release(bytes);
  }

  /**
   * Takes in what is written to a stream, until `read`; false, with nothing taken in, where there is no room and the
   * client has yet to read much of what came before.
   */
  write(bytes: number): boolean {
    if (this.#unread < FAIR_UNREAD_BYTES) this.#budget.takeAnyway(bytes);
    else if (!this.#budget.take(bytes)) return false;

    this.#unread += bytes;
    return true;
  }

  read(bytes: number): void {
    this.#unread -= bytes;
    this.release(bytes);
  }
}

export function noRoom({ held, most }: MemoryBudget, bytes: number): RpcError {
  return new RpcError(
    "RESOURCE_EXHAUSTED",
    `The emulator holds ${held} bytes of calls, requests that are not complete and answers that were not read: with ` +
      `${bytes} more they are beyond its limit, ${most}. Read the answers, or make fewer calls at a time.`,
  );
}
