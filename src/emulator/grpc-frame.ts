import { RpcError } from "./rpc-error.js";

/** A flag that says whether it is compressed, and the length of what follows. */
const PREFIX_BYTES = 5;

/** Messages as gRPC has them on a stream, one behind the other. */
export function framed(messages: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const message of messages) {
    bytes += framedBytes(message);
  }
  const frames = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const message of messages) {
    frames[at] = 0;
    frames.writeUInt32BE(message.length, at + 1);
    frames.set(message, at + PREFIX_BYTES);
    at += framedBytes(message);
  }
  return frames;
}

/** How many bytes a message has on a stream. */
export function framedBytes(message: Uint8Array): number {
  return PREFIX_BYTES + message.length;
}

/** Puts together the one message of a request, however its bytes arrive. */
export class RequestReader {
  /** Undefined until all of it has arrived. */
  message: Buffer | undefined;
  #parts: Buffer[] = [];
  #received = 0;
  /** Undefined until the prefix has told it. */
  #frameBytes: number | undefined;

  /** `encoding` is the request's header `grpc-encoding`. */
  constructor(private readonly encoding: string | undefined) {}

  /** @throws RpcError for a message that is compressed, or not the only one */
  add(chunk: Buffer): void {
    if (chunk.length === 0) {
      return;
    }
    this.#received += chunk.length;
    if (this.message === undefined) {
      this.#parts.push(chunk);
      if (this.#received < PREFIX_BYTES) {
        return;
      }
      this.#frameBytes ??= this.#readPrefix();
      if (this.#received < this.#frameBytes) {
        return;
      }
      this.message = this.#joined().subarray(PREFIX_BYTES, this.#frameBytes);
      this.#parts = [];
    }
    if (this.#received > (this.#frameBytes ?? 0)) {
      throw new RpcError("UNIMPLEMENTED", "Received a second request message, where the method takes one");
    }
  }

  /** @throws RpcError if the request ended without a message, or within it */
  end(): Buffer {
    if (this.message !== undefined) {
      return this.message;
    }
    throw this.#received === 0
      ? new RpcError("UNIMPLEMENTED", "Received no request message")
      : new RpcError("INTERNAL", "The request message ended before its length");
  }

  #readPrefix(): number {
    const prefix = this.#joined();
    const { encoding = "identity" } = this;
    if (prefix[0] !== 0) {
      throw encoding === "identity"
        ? new RpcError("INTERNAL", "Received a compressed message whose compression is not named")
        : new RpcError("UNIMPLEMENTED", `Received a message compressed with unsupported encoding "${encoding}"`);
    }
    return PREFIX_BYTES + prefix.readUInt32BE(1);
  }

  #joined(): Buffer {
    const [first, ...rest] = this.#parts;
    if (first !== undefined && rest.length === 0) {
      return first;
    }
    const joined = Buffer.concat(this.#parts);
    this.#parts = [joined];
    return joined;
  }
}
