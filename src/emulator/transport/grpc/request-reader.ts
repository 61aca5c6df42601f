import { EMPTY_BYTES } from "../../../protocol/empty-bytes.js";
import { PREFIX_BYTES } from "../../../protocol/grpc-frame.js";
import type { ConnectionLoad } from "../connection-load.js";
import { MOST_MESSAGE_BYTES, SMALL_BYTES, messageTooLarge } from "../../limits/limits.js";
import { RpcError } from "../../../protocol/rpc-error.js";

/** Puts together the one message of a request, however its bytes arrive. */
export class RequestReader {
  readonly #encoding: string | undefined;
  readonly #load: Pick<ConnectionLoad, "hold" | "release">;
  /** Undefined until all of it has arrived. */
  #message: Buffer | undefined;
  /**
   * What has arrived of a message that came in several chunks, and room for more: a chunk is part of all that was read at
   * a time, which it would hold, and a message may have a chunk for each of its bytes.
   */
  #room = EMPTY_BYTES;
  /** What the load has room for. */
  #held = 0;
  #received = 0;
  /** Undefined until the prefix has told it. */
  #frameBytes: number | undefined;

  /** `encoding` is the request's header `grpc-encoding`; `load` has room for what is held of it. */
  constructor(encoding: string | undefined, load: Pick<ConnectionLoad, "hold" | "release">) {
    this.#encoding = encoding;
    this.#load = load;
  }

  /** @throws RpcError for a message that is compressed, too large, or not the only one, and if there is no room for it */
  add(chunk: Buffer): void {
    if (chunk.length === 0) return;

    if (this.#message !== undefined) throw secondMessage();

    const bytes = this.#received === 0 ? chunk : this.#appended(chunk);
    if (bytes.length >= PREFIX_BYTES) this.#frameBytes ??= this.#readPrefix(bytes);

    if (bytes.length > (this.#frameBytes ?? Infinity)) throw secondMessage();

    if (bytes.length === this.#frameBytes) {
      this.#hold(bytes.length);
      this.#message = bytes.subarray(PREFIX_BYTES);
    } else if (this.#received === 0) {
      this.#appended(chunk);
    }
    this.#received = bytes.length;
  }

  /**
   * The message, which this one has no longer. There is room for it until `discard`.
   * @throws RpcError if the request ended without a message, or within it
   */
  end(): Buffer {
    const message = this.#message;
    if (message !== undefined) {
      this.#room = EMPTY_BYTES;
      this.#message = EMPTY_BYTES;
      return message;
    }
    throw this.#received === 0
      ? new RpcError("UNIMPLEMENTED", "Received no request message")
      : new RpcError("INTERNAL", "The request message ended before its length");
  }

  /** Nobody wants it any more, complete or not. */
  discard(): void {
    this.#load.release(this.#held);
    this.#held = 0;
    this.#room = EMPTY_BYTES;
    this.#message = undefined;
  }

  #hold(bytes: number): void {
    if (bytes > SMALL_BYTES && bytes > this.#held) {
      this.#load.hold(bytes - this.#held);
      this.#held = bytes;
    }
  }

  #readPrefix(bytes: Buffer): number {
    const encoding = this.#encoding ?? "identity";
    if (bytes[0] !== 0) {
      throw encoding === "identity"
        ? new RpcError("INTERNAL", "Received a compressed message whose compression is not named")
        : new RpcError("UNIMPLEMENTED", `Received a message compressed with unsupported encoding "${encoding}"`);
    }
    const length = bytes.readUInt32BE(1);
    if (length > MOST_MESSAGE_BYTES) throw messageTooLarge(length);

    return PREFIX_BYTES + length;
  }

  /** All that has arrived, with this chunk. The room doubles, so that no length that is only claimed takes memory. */
  #appended(chunk: Buffer): Buffer {
    const bytes = this.#received + chunk.length;
    if (bytes > this.#room.length) {
      const capacity = Math.max(bytes, Math.min(2 * bytes, this.#frameBytes ?? 2 * PREFIX_BYTES));
      this.#hold(capacity);
      const room = Buffer.allocUnsafeSlow(capacity);
      room.set(this.#room.subarray(0, this.#received));
      this.#room = room;
    }
    this.#room.set(chunk, this.#received);
    return this.#room.subarray(0, bytes);
  }
}

function secondMessage(): RpcError {
  return new RpcError("UNIMPLEMENTED", "Received a second request message, where the method takes one");
}
