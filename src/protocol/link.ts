import { EMPTY_BYTES } from "./empty-bytes.js";
import type { Writable } from "node:stream";

/**
 * The link: how workers of fanout speak with the emulator of the same version, in place of gRPC. The messages are those
 * of TaskHubSidecarService; what is gone is HTTP/2 around each of them. Both ends send frames:
 *
 *     length (4 bytes, big endian, of what follows), kind (1 byte), number (4 bytes), payload
 *
 * The worker begins with the preface and one `Open` frame, whose payload is the `LinkGreeting` as JSON.
 */
export const LINK_PREFACE = Buffer.from("fanout-link/1\n");

/** The first message of the worker. */
export interface LinkGreeting {
  readonly taskHub: string;
  readonly workerId: string;
  /** Of the emulator's owner, where it listens on loopback. */
  readonly token?: string | undefined;
}

/** The header with which a link tells a service that its worker remembers histories. */
export const REMEMBERS_HISTORY = "fanout-remembers-history";

export const FrameKind = {
  Open: 1,
  /** A unary call; its number comes back with the answer. Payload: the method's place in `LINK_METHODS` (1 byte), the request. */
  Call: 2,
  /** Payload: nothing where the call succeeded, else the gRPC status code (1 byte) and its message. */
  Answer: 3,
  /** Asks for a stream of work items, which gets that number. Payload: a GetWorkItemsRequest. */
  Take: 4,
  /** The stream is open. */
  Taken: 5,
  /** A WorkItem on the stream with that number. */
  Item: 6,
  /** The stream is over. Payload: as in `Answer`. */
  End: 7,
  /** The worker wants no more of the stream, and keeps its items. */
  Cancel: 8,
  /** The sender is alive. */
  Ping: 9,
} as const;

export const LINK_METHODS = [
  "Hello",
  "CompleteActivityTask",
  "CompleteOrchestratorTask",
  "AbandonTaskActivityWorkItem",
  "AbandonTaskOrchestratorWorkItem",
  "AbandonTaskEntityWorkItem",
] as const;

/** An end that receives nothing for this long gives the link up. A ping every `LINK_PING_MS` prevents that. */
export const LINK_SILENCE_MS = 30_000;
export const LINK_PING_MS = 10_000;

const HEAD_BYTES = 9;
/** Larger payloads are written directly. Smaller ones are copied into one buffer. */
const LARGE_BYTES = 16_384;
const ROOM_BYTES = 65_536;
/** No message of the protocol is that large, so a larger length is not a frame. */
const MOST_FRAME_BYTES = 2 ** 30;

/** Writes the frames of one turn together, because a system call costs more than most of them. */
export class FrameWriter {
  readonly #out: Writable;
  readonly #defer: (flush: () => void) => void;
  #room = Buffer.allocUnsafeSlow(ROOM_BYTES);
  #from = 0;
  #to = 0;
  #flushing = false;

  /** `defer` calls back at the end of the turn. */
  constructor(out: Writable, defer: (flush: () => void) => void) {
    this.#out = out;
    this.#defer = defer;
  }

  /** The bytes that the other end has not accepted yet. */
  get backlogBytes(): number {
    return this.#out.writableLength + this.#to - this.#from;
  }

  write(kind: number, number: number, payload: Uint8Array, prefix?: number): void {
    const head = prefix === undefined ? HEAD_BYTES : HEAD_BYTES + 1;
    const isLarge = payload.length >= LARGE_BYTES;
    this.#reserve(isLarge ? head : head + payload.length);
    const room = this.#room;
    room.writeUInt32BE(head - 4 + payload.length, this.#to);
    room[this.#to + 4] = kind;
    room.writeUInt32BE(number, this.#to + 5);
    if (prefix !== undefined) room[this.#to + HEAD_BYTES] = prefix;
    this.#to += head;
    if (isLarge) {
      this.#flush();
      this.#out.write(payload);
    } else {
      room.set(payload, this.#to);
      this.#to += payload.length;
    }
  }

  #reserve(bytes: number): void {
    if (this.#to + bytes > ROOM_BYTES) {
      this.#flush();
      // The old buffer may still be on its way.
      this.#room = Buffer.allocUnsafeSlow(ROOM_BYTES);
      this.#from = this.#to = 0;
    }
    if (this.#flushing) return;
    this.#flushing = true;
    this.#defer(() => {
      this.#flushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#to === this.#from || this.#out.destroyed) return;
    const bytes = this.#room.subarray(this.#from, this.#to);
    this.#from = this.#to;
    this.#out.write(bytes);
  }
}

/** Decides whether there is room for frames that have not arrived completely. */
interface Room {
  take(bytes: number): boolean;
  release(bytes: number): void;
}
const ANY_ROOM: Room = { take: () => true, release: () => {} };

/** Splits a stream of bytes into frames, however the bytes arrive. */
export class FrameReader {
  /** Of the payload of a frame. It may change between two frames. */
  mostBytes: number;
  readonly #onFrame: (kind: number, number: number, payload: Buffer) => void;
  readonly #onRefused: (kind: number, number: number, bytes: number) => void;
  readonly #room: Room;
  /** Less than the head of a frame. */
  #rest = EMPTY_BYTES;
  /** A buffer for a frame of known length, and the number of bytes that have arrived. */
  #frame: Buffer | undefined;
  #filled = 0;
  /** The remaining bytes of a skipped frame. */
  #skip = 0;

  /**
   * `onFrame` gets payloads that are views of the received bytes, so that a receiver must copy what it keeps.
   * `onRefused` is called for frames of more than `mostBytes`, and for frames without room, which are skipped.
   */
  constructor(
    onFrame: (kind: number, number: number, payload: Buffer) => void,
    mostBytes = Infinity,
    onRefused: (kind: number, number: number, bytes: number) => void = () => {},
    room: Room = ANY_ROOM,
  ) {
    this.#onFrame = onFrame;
    this.mostBytes = mostBytes;
    this.#onRefused = onRefused;
    this.#room = room;
  }

  /** @throws Error if it cannot be a frame */
  add(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = this.#goOn(bytes);
    while (bytes.length - at >= HEAD_BYTES) {
      const length = bytes.readUInt32BE(at);
      if (length < HEAD_BYTES - 4 || length > MOST_FRAME_BYTES) throw new Error("The other end does not send frames");
      const end = at + 4 + length;
      const payloadBytes = end - at - HEAD_BYTES;
      const isWhole = end <= bytes.length;
      if (payloadBytes > this.mostBytes || (!isWhole && !this.#room.take(4 + length))) {
        this.#skip = Math.max(0, end - bytes.length);
        this.#onRefused(bytes[at + 4]!, bytes.readUInt32BE(at + 5), payloadBytes);
      } else if (!isWhole) {
        this.#frame = Buffer.allocUnsafeSlow(4 + length);
        this.#filled = bytes.copy(this.#frame, 0, at);
      } else {
        this.#deliver(bytes.subarray(at, end));
      }
      at = Math.min(end, bytes.length);
    }
    this.#rest = at === bytes.length ? EMPTY_BYTES : Buffer.from(bytes.subarray(at));
  }

  /** Adds bytes to the begun frame. Returns the offset of the next frame. */
  #goOn(bytes: Buffer): number {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    const frame = this.#frame;
    if (frame === undefined) return skipped;
    const taken = bytes.copy(frame, this.#filled);
    this.#filled += taken;
    if (this.#filled === frame.length) {
      this.discard();
      this.#deliver(frame);
    }
    return taken;
  }

  /** Drops a frame that has not arrived completely. */
  discard(): void {
    this.#room.release(this.#frame?.length ?? 0);
    this.#frame = undefined;
  }

  #deliver(frame: Buffer): void {
    this.#onFrame(frame[4]!, frame.readUInt32BE(5), frame.subarray(HEAD_BYTES));
  }
}

/** Gives a link up that was silent for `LINK_SILENCE_MS`, and keeps this end from being silent. */
export class LinkPulse {
  readonly #nowMs: () => number;
  readonly #ping: () => void;
  readonly #onSilence: () => void;
  #heardMs: number;

  /** @param nowMs milliseconds on a clock that is never set */
  constructor(nowMs: () => number, ping: () => void, onSilence: () => void) {
    this.#nowMs = nowMs;
    this.#ping = ping;
    this.#onSilence = onSilence;
    this.#heardMs = nowMs();
  }

  /** Call it every `LINK_PING_MS`, until the link is lost. */
  beat(): void {
    this.#ping();
    // A process that was stopped itself first reads what has arrived, before it blames the other end.
    if (this.#isSilent) setImmediate(() => this.#isSilent && this.#onSilence());
  }

  heard(): void {
    this.#heardMs = this.#nowMs();
  }

  get #isSilent(): boolean {
    return this.#nowMs() - this.#heardMs > LINK_SILENCE_MS;
  }
}
