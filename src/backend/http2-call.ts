import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { dropAbort, onAbort } from "./abort-callbacks.js";
import { isServiceError } from "./call-retry.js";
import { errorOfContentType, errorOfHttpStatus, errorOfReset, grpcError, isStatus } from "./grpc-error.js";
import { MessageReader, type MessageReceiver } from "./message-reader.js";
import type { UnaryCallOptions } from "./unary-connection.js";

/**
 * The call of a stream, until it is settled: node:http2 holds its streams so that they survive the collections of the
 * young, and what they refer to would survive with them. For the same reason listeners are shared by all streams.
 */
const CALL = Symbol("call");

const NONE: readonly Buffer[] = [];

interface CallStream extends ClientHttp2Stream {
  [CALL]?: Http2Call | undefined;
}

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** What the answer to a call is handed to. */
export interface AnswerReceiver extends MessageReceiver {
  /** The server has taken the call on. An error that it answers at once opens nothing. */
  onOpen?(): void;
  /** @throws ServiceError for a message that may not come: it ends the call */
  onMessage(message: Buffer): void;
  /** Whether nobody has to wait for what may be on its way ahead of this outcome; it is waited for where this is absent. */
  isSettledBy?(error: ServiceError | undefined): boolean;
  /** Once, and behind all else. Without an error the server has said that the call succeeded. */
  onEnd(error: ServiceError | undefined): void;
}

export interface Http2CallOptions extends UnaryCallOptions {
  readonly mostBytes: number;
  readonly receiver: AnswerReceiver;
}

/** What a call is told by, and tells, the connection that it is on. */
export interface CallOwner {
  readonly isDestroyed: boolean;
  onSettled(call: Http2Call): void;
}

/** One call, of one message, on an HTTP/2 stream of its own. */
export class Http2Call {
  /** By `performance.now()`. */
  readonly deadlineMs: number;
  readonly #stream: CallStream;
  readonly #owner: CallOwner;
  readonly #options: Http2CallOptions;
  readonly #reader: MessageReader;
  #httpStatus = 0;
  /** What arrived ahead of the headers: node:http2 hands over data at once, and headers a tick later. */
  #early: readonly Buffer[] = NONE;
  /** What it came to, while what precedes that may still be on its way to the listeners. */
  #outcome: { readonly error: ServiceError | undefined } | undefined;
  #streamError: Error | undefined;
  readonly #abort = (): void => this.fail(cancelled());

  constructor(stream: ClientHttp2Stream, owner: CallOwner, options: Http2CallOptions) {
    const { timeoutMs = Infinity, signal, mostBytes, receiver } = options;
    this.deadlineMs = performance.now() + timeoutMs;
    this.#stream = stream;
    this.#owner = owner;
    this.#options = options;
    this.#reader = new MessageReader(mostBytes, receiver);
    this.#stream[CALL] = this;
    this.#stream.on("response", onResponse);
    this.#stream.on("data", onData);
    this.#stream.on("trailers", onTrailers);
    this.#stream.on("error", onError);
    this.#stream.on("close", onClose);
    if (signal) onAbort(signal, this.#abort);
  }

  /** Ends the call, if it has not ended, and tells the server. */
  fail(error: ServiceError): void {
    if (!this.#settle()) return;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#options.receiver.onEnd(error);
  }

  expire(): void {
    const seconds = (this.#options.timeoutMs ?? 0) / 1_000;
    this.fail(grpcError(status.DEADLINE_EXCEEDED, `Deadline exceeded after ${seconds} s`));
  }

  /** Tells the server that no more is wanted. The call ends behind the messages that have been received by now. */
  cancel(): void {
    if (this.#stream[CALL] === undefined) return;
    this.#outcome ??= { error: cancelled() };
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // They may be in the chunk that is being read, and this be what one of them has led to.
    process.nextTick(() => this.#finish(this.#outcome?.error));
  }

  /** Reads no more until `resume`: the server may send as much as the window of the stream has room for. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** What the stream's listeners tell. */
  onHeaders(headers: Headers, flags: number): void {
    this.#httpStatus = headers[":status"] ?? 0;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) return this.onTrailers(headers);
    const other =
      this.#httpStatus === constants.HTTP_STATUS_OK ? errorOfContentType(headers["content-type"]) : undefined;
    if (other !== undefined) return this.fail(other);
    if (this.#httpStatus === constants.HTTP_STATUS_OK) this.#options.receiver.onOpen?.();
    const early = this.#early;
    this.#early = NONE;
    for (const chunk of early) this.#stream[CALL]?.onData(chunk);
  }

  onData(chunk: Buffer): void {
    if (this.#httpStatus === 0) {
      this.#early = [...this.#early, chunk];
      return;
    }
    // The page of a proxy is no message.
    if (this.#httpStatus !== constants.HTTP_STATUS_OK) return;
    try {
      this.#reader.add(chunk);
    } catch (error) {
      if (!isServiceError(error)) throw error;
      this.fail(error);
    }
  }

  onTrailers(trailers: Headers): void {
    const error = errorOf(trailers, this.#httpStatus);
    this.#outcome ??= { error };
    if (this.#options.receiver.isSettledBy?.(error) === true) this.#finish(error);
  }

  onError(error: Error): void {
    this.#streamError = error;
  }

  onClose(): void {
    if (this.#outcome !== undefined) this.#finish(this.#outcome.error);
    // A lost connection ends it, with the reason that the connection has.
    else if (!this.#owner.isDestroyed) this.fail(this.#errorOfStream());
  }

  #errorOfStream(): ServiceError {
    const code = this.#stream.rstCode;
    if (code === constants.NGHTTP2_NO_ERROR && this.#httpStatus !== 0 && this.#httpStatus !== 200)
      return errorOfHttpStatus(this.#httpStatus);

    const error = this.#streamError;
    const isReset = error === undefined || ("code" in error && error.code === "ERR_HTTP2_STREAM_ERROR");
    return isReset ? errorOfReset(code) : grpcError(status.INTERNAL, error.message);
  }

  /** Ends the call as the server has. */
  #finish(error: ServiceError | undefined): void {
    if (!this.#settle()) return;
    // The server may have answered before it had all of the request.
    if (!this.#stream.writableFinished) this.#stream.close(constants.NGHTTP2_CANCEL);
    const isCut = error === undefined && this.#reader.isPartial;
    this.#options.receiver.onEnd(isCut ? grpcError(status.INTERNAL, "The message ended before its length") : error);
  }

  /** False if it was settled before. */
  #settle(): boolean {
    if (this.#stream[CALL] === undefined) return false;
    this.#stream[CALL] = undefined;
    const { signal } = this.#options;
    if (signal) dropAbort(signal, this.#abort);
    this.#owner.onSettled(this);
    return true;
  }
}

function onResponse(this: CallStream, headers: Headers, flags: number): void {
  this[CALL]?.onHeaders(headers, flags);
}

function onData(this: CallStream, chunk: Buffer): void {
  this[CALL]?.onData(chunk);
}

function onTrailers(this: CallStream, trailers: Headers): void {
  this[CALL]?.onTrailers(trailers);
}

function onError(this: CallStream, error: Error): void {
  this[CALL]?.onError(error);
}

function onClose(this: CallStream): void {
  this[CALL]?.onClose();
}

function cancelled(): ServiceError {
  return grpcError(status.CANCELLED, "Cancelled on client");
}

/** Undefined where the call succeeded. */
function errorOf(trailers: Headers, httpStatus: number): ServiceError | undefined {
  const code = trailers["grpc-status"];
  if (code === "0") return undefined;
  const metadata = metadataOf(trailers);
  if (code === undefined) return errorOfHttpStatus(httpStatus, metadata);
  const [message = ""] = metadata.get("grpc-message");
  metadata.remove("grpc-status");
  metadata.remove("grpc-message");
  const known = Number(code);
  return grpcError(isStatus(known) ? known : status.UNKNOWN, percentDecoded(String(message)), metadata);
}

/** Empty where they hold what no metadata may. */
function metadataOf(headers: Headers): Metadata {
  try {
    return Metadata.fromHttp2Headers(headers);
  } catch {
    return new Metadata();
  }
}

/** What is not encoded as it should be is better told as it is than not at all. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
