import { EMPTY_BYTES } from "../../../protocol/empty-bytes.js";
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { SteadyTime } from "../../clock/system-time.js";
import type { ConnectionLoad } from "../connection-load.js";
import { statusOf, type Call, type Handler } from "../../service/call.js";
import type { Deadlines } from "./deadlines.js";
import type { UnfinishedRequests } from "./unfinished-requests.js";
import { PREFIX_BYTES, bytesOf, framePrefix, framedAll } from "../../../protocol/grpc-frame.js";
import { RequestReader } from "./request-reader.js";
import { REQUEST_PATIENCE_MS, SMALL_BYTES } from "../../limits/limits.js";
import { GrpcStatus } from "../../../protocol/grpc-status.js";
import { RESPONSE_HEADERS, respondAtOnce, statusHeaders } from "./status.js";

/** From this size on a message is written without being copied. */
const LARGE_BYTES = 16_384;

/**
 * The call of a stream: listeners are shared by all streams, since closures for each cost more than all the rest of
 * a small call.
 */
const CALL = Symbol("call");

interface CallStream extends ServerHttp2Stream {
  [CALL]?: GrpcCall | undefined;
}

const MESSAGES_FOLLOW = { waitForTrailers: true, sendDate: false };
const OK = statusHeaders(GrpcStatus.OK, "");
const NO_HEADERS: IncomingHttpHeaders = {};

/** What the calls of a connection share. */
export interface GrpcConnection {
  readonly handlers: ReadonlyMap<string, Handler>;
  readonly clock: SteadyTime;
  readonly deadlines: Deadlines;
  readonly unfinished: UnfinishedRequests;
  readonly load: ConnectionLoad;
}

/** One call on the HTTP/2 stream that it came over. */
export class GrpcCall implements Call {
  request: Buffer = EMPTY_BYTES;
  isCancelled = false;
  onCancelled: (() => void) | undefined;
  onDrain: (() => void) | undefined;
  readonly #stream: CallStream;
  readonly #connection: GrpcConnection;
  #headers: IncomingHttpHeaders;
  readonly #reader: RequestReader;
  readonly #handler: Handler;
  #isOver = false;
  #trailers = OK;
  /** Messages of this turn, in their parts, and the bytes that they will be. */
  #gathered: (readonly Uint8Array[])[] = [];
  #gatheredBytes = 0;
  /** What the load has room for until the stream is closed: the call, and what it answers with. */
  readonly #ownBytes: number;
  #reserved = 0;
  /** Of messages that were written, what the load counts as not read. */
  #unread = 0;
  /** The last `write` has returned false. */
  #isBlocked = false;
  #messagesWaiting = 0;

  /** `handler` runs once the request is complete; the load of the connection counts `ownBytes` for the call by now. */
  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    handler: Handler,
    readonly deadlineMs: number,
    connection: GrpcConnection,
    ownBytes: number,
  ) {
    this.#stream = stream;
    this.#headers = headers;
    this.#connection = connection;
    this.#handler = handler;
    this.#ownBytes = ownBytes;
    this.#reader = new RequestReader(this.header("grpc-encoding"), connection.load);
    connection.unfinished.progress(this);
    this.#stream[CALL] = this;
    stream.on("data", onData);
    stream.on("end", onEnd);
    stream.on("close", onClose);
  }

  get bytesWaiting(): number {
    return this.#gatheredBytes + this.#stream.writableLength;
  }

  get messagesWaiting(): number {
    return this.#messagesWaiting;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return typeof value === "object" ? value[0] : value;
  }

  reserve(bytes: number): void {
    const more = bytes - SMALL_BYTES - this.#reserved;
    if (more > 0 && !this.#isOver) {
      this.#connection.load.hold(more);
      this.#reserved += more;
    }
  }

  open(): void {
    if (this.#canSend() && !this.#stream.headersSent) this.#respond();
  }

  write(...parts: readonly Uint8Array[]): boolean {
    this.#messagesWaiting += 1;
    if (!this.#canSend()) return false;

    const bytes = PREFIX_BYTES + bytesOf(parts);
    if (!this.#connection.load.write(bytes)) {
      // It does not read what it asks for: what its workers hold goes to others.
      this.#stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return false;
    }
    if (this.#gathered.push(parts) === 1) process.nextTick(flush, this);

    this.#gatheredBytes += bytes;
    this.#unread += bytes;
    this.#isBlocked = this.bytesWaiting >= this.#stream.writableHighWaterMark;
    return !this.#isBlocked;
  }

  end(message?: Uint8Array): void {
    if (!this.#canSend()) return;

    // What it was asked is done with, and makes room for the answer.
    this.#reader.discard();
    if (message !== undefined) {
      try {
        this.reserve(message.length);
      } catch (error) {
        this.fail(error);
        return;
      }
      this.#gathered.push([message]);
    }
    this.#settle();
    this.#endStream();
  }

  fail(error: unknown): void {
    const { code, message } = statusOf(error);
    this.#fail(code, message);
  }

  /** Its deadline has passed. */
  expire(): void {
    this.isCancelled = true;
    this.#fail(GrpcStatus.DEADLINE_EXCEEDED, "Deadline exceeded");
    this.onCancelled?.();
  }

  /** Nothing more has come of its request for long. */
  stall(): void {
    const seconds = REQUEST_PATIENCE_MS / 1_000;
    this.#fail(
      GrpcStatus.DEADLINE_EXCEEDED,
      `The request is not complete, and nothing of it has come for ${seconds} s.`,
    );
  }

  /** What the stream's listeners, and the end of a turn, tell. */
  onData(chunk: Buffer): void {
    if (this.#isOver) return;

    try {
      this.#reader.add(chunk);
      this.#connection.unfinished.progress(this);
    } catch (error) {
      this.fail(error);
    }
  }

  onEnd(): void {
    if (this.#isOver) return;

    this.#connection.unfinished.delete(this);
    try {
      this.request = this.#reader.end();
      this.#handler(this);
    } catch (error) {
      this.fail(error);
    }
    // A call may wait for long, with what came beside its request.
    this.request = EMPTY_BYTES;
    this.#headers = NO_HEADERS;
  }

  onWantTrailers(): void {
    if (!this.#isGone()) this.#stream.sendTrailers(this.#trailers);
  }

  onDrained(): void {
    this.#wasRead();
    if (this.#isBlocked && !this.#isOver) {
      this.#isBlocked = false;
      this.onDrain?.();
    }
  }

  /** Where it was not ended before, the client has gone. */
  onClose(): void {
    this.#wasRead();
    this.#connection.load.release(this.#reserved);
    this.#connection.load.endCall(this.#ownBytes);
    if (!this.#isOver) {
      this.isCancelled = true;
      this.#settle();
      this.onCancelled?.();
    }
  }

  flush(): void {
    if (this.#gathered.length === 0 || this.#isGone()) return;

    this.open();
    if (this.#writeGathered()) {
      // What was waiting may have left since.
      this.onDrained();
    } else if (this.#stream.listenerCount("drain") === 0) {
      this.#stream.on("drain", onDrained);
    }
  }

  #fail(code: number, message: string): void {
    if (!this.#canSend()) return;

    this.#settle();
    const status = statusHeaders(code, message);
    if (this.#stream.headersSent || this.#gathered.length > 0) {
      this.#trailers = status;
      this.#endStream();
    } else {
      respondAtOnce(this.#stream, status);
    }
  }

  #respond(): void {
    this.#stream.on("wantTrailers", onWantTrailers);
    this.#stream.respond(RESPONSE_HEADERS, MESSAGES_FOLLOW);
  }

  #endStream(): void {
    if (!this.#stream.headersSent) this.#respond();

    if (this.#gathered.length === 0) this.#stream.end();
    else this.#stream.end(this.#takeGathered());
  }

  #wasRead(): void {
    if (this.#unread > 0) {
      this.#connection.load.read(this.#unread);
      this.#unread = 0;
    }
  }

  /** Small messages make one buffer. A large one goes as it is: its copy would be the larger part of its cost. */
  #writeGathered(): boolean {
    const count = this.#gathered.length;
    const onWritten = (error?: Error | null): void => {
      // Where the stream is gone, node:http2 reports success for what it has thrown away.
      if (!error && !this.#isGone()) this.#messagesWaiting -= count;
    };
    if (this.#gatheredBytes < LARGE_BYTES) return this.#stream.write(this.#takeGathered(), onWritten);

    const messages = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#stream.cork();
    const chunks: Uint8Array[] = [];
    let small: (readonly Uint8Array[])[] = [];
    for (const parts of messages) {
      const bytes = bytesOf(parts);
      if (bytes < LARGE_BYTES) {
        small.push(parts);
      } else {
        if (small.length > 0) chunks.push(framedAll(small));
        small = [];
        chunks.push(framePrefix(bytes), ...parts);
      }
    }
    if (small.length > 0) chunks.push(framedAll(small));
    const last = chunks.pop()!;
    for (const chunk of chunks) this.#stream.write(chunk);
    this.#stream.write(last, onWritten);
    this.#stream.uncork();
    return !this.#stream.writableNeedDrain;
  }

  #takeGathered(): Buffer {
    const messages = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    return framedAll(messages);
  }

  /** A stream that the client has reset is gone a moment before it says so. */
  #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #canSend(): boolean {
    return !this.#isOver && !this.#isGone();
  }

  #settle(): void {
    this.#isOver = true;
    this.#reader.discard();
    this.#connection.deadlines.delete(this);
    this.#connection.unfinished.delete(this);
  }
}

function onData(this: CallStream, chunk: Buffer): void {
  this[CALL]?.onData(chunk);
}

function onEnd(this: CallStream): void {
  this[CALL]?.onEnd();
}

function onWantTrailers(this: CallStream): void {
  this[CALL]?.onWantTrailers();
}

function onDrained(this: CallStream): void {
  this[CALL]?.onDrained();
}

function onClose(this: CallStream): void {
  this[CALL]?.onClose();
  // node:http2 holds a stream for longer than it is open, and would hold the call with it.
  this[CALL] = undefined;
}

function flush(call: GrpcCall): void {
  call.flush();
}
