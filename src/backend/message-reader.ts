import { status } from "@grpc/grpc-js";
import { PREFIX_BYTES } from "../protocol/grpc-frame.js";
import { grpcError } from "./grpc-error.js";

/** Receives each message once it is complete. */
export interface MessageReceiver {
  /** The message may be a part of a larger chunk: whoever keeps it keeps the whole chunk. */
  onMessage(message: Buffer): void;
}

/** Splits a stream into its messages, however its bytes arrive. A message in one chunk is not copied. */
export class MessageReader {
  readonly #mostBytes: number;
  readonly #receiver: MessageReceiver;
  /** The chunks of an incomplete frame: `#heldBytes` in total, less than `#wantedBytes`. */
  #parts: Buffer[] = [];
  #heldBytes = 0;
  /** The length of that frame. Until its prefix is complete, the length of the prefix. */
  #wantedBytes = PREFIX_BYTES;

  constructor(mostBytes: number, receiver: MessageReceiver) {
    this.#mostBytes = mostBytes;
    this.#receiver = receiver;
  }

  /** Whether a message has arrived only in part. */
  get isPartial(): boolean {
    return this.#heldBytes > 0;
  }

  /** @throws ServiceError for a message that is compressed or too long: nothing behind it can be read */
  add(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#heldBytes > 0) {
      this.#parts.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#heldBytes < this.#wantedBytes) return;
      bytes = Buffer.concat(this.#parts, this.#heldBytes);
      this.#parts = [];
    }
    let start = 0;
    this.#wantedBytes = PREFIX_BYTES;
    while (bytes.length - start >= PREFIX_BYTES) {
      const frameBytes = PREFIX_BYTES + messageBytesAt(bytes, start, this.#mostBytes);
      if (bytes.length - start < frameBytes) {
        this.#wantedBytes = frameBytes;
        break;
      }
      this.#receiver.onMessage(bytes.subarray(start + PREFIX_BYTES, start + frameBytes));
      start += frameBytes;
    }
    this.#heldBytes = bytes.length - start;
    if (this.#heldBytes > 0) this.#parts.push(start === 0 ? bytes : bytes.subarray(start));
  }
}

function messageBytesAt(frames: Buffer, start: number, mostBytes: number): number {
  // The client offers no encoding, so a compressed message has none that it could have.
  if (frames[start] !== 0)
    throw grpcError(status.INTERNAL, "Received a compressed message, and no compression was offered");

  const bytes = frames.readUInt32BE(start + 1);
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
