import { status } from "@grpc/grpc-js";
import { PREFIX_BYTES } from "../protocol/grpc-frame.js";
import { grpcError } from "./grpc-error.js";

/** What messages are handed to, each once it is complete. */
export interface MessageReceiver {
  /** The message may be a part of what was received with it: whoever keeps it keeps all of that. */
  onMessage(message: Buffer): void;
}

/** Takes the messages out of a stream, however its bytes arrive. What comes in one piece is not copied. */
export class MessageReader {
  readonly #mostBytes: number;
  readonly #receiver: MessageReceiver;
  /** Of a frame that has not arrived in full, `#heldBytes` together: less than `#wantedBytes`. */
  #parts: Buffer[] = [];
  #heldBytes = 0;
  /** The length of that frame; until its prefix has told it, the prefix's. */
  #wantedBytes = PREFIX_BYTES;

  constructor(mostBytes: number, receiver: MessageReceiver) {
    this.#mostBytes = mostBytes;
    this.#receiver = receiver;
  }

  /** Whether a part of a message has arrived, and not all. */
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
  // No encoding is offered, so that there is none that it could have.
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
