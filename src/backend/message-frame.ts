import { status } from "@grpc/grpc-js";
import { grpcError } from "./grpc-error.js";

/** A flag that says whether it is compressed, and the length of what follows. */
const PREFIX_BYTES = 5;

/** A message as gRPC has it on a stream: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/** Puts together the one message of an answer, however its bytes arrive. */
export class MessageReader {
  /** Undefined until all of it has arrived. */
  message: Buffer | undefined;
  #parts: Buffer[] = [];
  #received = 0;
  /** Undefined until the prefix has told it. */
  #frameBytes: number | undefined;

  constructor(private readonly mostBytes: number) {}

  /** Whether a part of it has arrived, and not all. */
  get isPartial(): boolean {
    return this.#received > 0 && this.message === undefined;
  }

  /** @throws ServiceError for a message that is compressed, too long, or not the only one */
  add(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#received += chunk.length;
    if (this.message === undefined) {
      this.#parts.push(chunk);
      if (this.#received < PREFIX_BYTES) return;
      this.#frameBytes ??= PREFIX_BYTES + messageBytesOf(this.#joined(), this.mostBytes);
      if (this.#received < this.#frameBytes) return;
      this.message = this.#joined().subarray(PREFIX_BYTES, this.#frameBytes);
      this.#parts = [];
    }
    if (this.#received > (this.#frameBytes ?? 0)) throw grpcError(status.UNIMPLEMENTED, "Too many responses received");
  }

  #joined(): Buffer {
    const [first, ...rest] = this.#parts;
    if (first !== undefined && rest.length === 0) return first;
    const joined = Buffer.concat(this.#parts);
    this.#parts = [joined];
    return joined;
  }
}

function messageBytesOf(frame: Buffer, mostBytes: number): number {
  // No encoding is offered, so that there is none that it could have.
  if (frame[0] !== 0) throw grpcError(status.INTERNAL, "Received a compressed message, and no compression was offered");
  const bytes = frame.readUInt32BE(1);
  if (bytes > mostBytes) throw tooLong("Received", bytes, mostBytes);
  return bytes;
}

/** @throws ServiceError */
export function checkLength(message: Uint8Array, mostBytes: number): void {
  if (message.length > mostBytes) throw tooLong("Tried to send", message.length, mostBytes);
}

function tooLong(what: string, bytes: number, mostBytes: number): Error {
  return grpcError(status.RESOURCE_EXHAUSTED, `${what} a message of ${bytes} bytes, where ${mostBytes} are allowed`);
}
