import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { dropAbort, onAbort } from "./abort-callbacks.js";
import { isServiceError } from "./call-retry.js";
import { errorOfContentType, errorOfHttpStatus, errorOfReset, grpcError, isStatus } from "./grpc-error.js";
import { MessageReader, type MessageReceiver } from "./message-reader.js";
import type { UnaryCallOptions } from "./unary-connection.js";

/**
 * The call of a stream, until it is settled. node:http2 keeps its streams through the young collections, and with them
 * everything that they refer to. For the same reason all streams share their listeners.
 */
const CALL = Symbol("call");

const NONE: readonly Buffer[] = [];

interface CallStream extends ClientHttp2Stream {
  [CALL]?: Http2Call | undefined;
}

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** Receives the answer to a call. */
export interface AnswerReceiver extends MessageReceiver {
  /** The server has accepted the call. An immediate error does not open the call. */
  onOpen?(): void;
  /** @throws ServiceError for an illegal message, which ends the call */
  onMessage(message: Buffer): void;
  /** Whether this outcome may be reported ahead of data that is still on its way. If absent, that data is awaited. */
  isSettledBy?(error: ServiceError | undefined): boolean;
  /** Called once, after everything else. No error means that the server reported success. */
  onEnd(error: ServiceError | undefined): void;
}

export interface Http2CallOptions extends UnaryCallOptions {
  readonly mostBytes: number;
  readonly receiver: AnswerReceiver;
}

/** The connection that a call is on. */
export interface CallOwner {
  readonly isDestroyed: boolean;
  onSettled(call: Http2Call): void;
}

/** One call with one request message, on its own HTTP/2 stream. */
export class Http2Call {
  /** On the clock of `performance.now()`. */
  readonly deadlineMs: number;
  readonly #stream: CallStream;
  readonly #owner: CallOwner;
  readonly #options: Http2CallOptions;
  readonly #reader: MessageReader;
  #httpStatus = 0;
  /** Data that arrived ahead of the headers: node:http2 emits data at once, and headers a tick later. */
  #early: readonly Buffer[] = NONE;
  /** The outcome, while earlier data may still be on its way to the listeners. */
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

  /** Ends the call if it has not ended, and tells the server. */
  fail(error: ServiceError): void {
    if (!this.#settle()) return;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#options.receiver.onEnd(error);
  }

  expire(): void {
    const seconds = (this.#options.timeoutMs ?? 0) / 1_000;
    this.fail(grpcError(status.DEADLINE_EXCEEDED, `Deadline exceeded after ${seconds} s`));
  }

  /** Tells the server to send no more. The call ends after the messages that have been received. */
  cancel(): void {
    if (this.#stream[CALL] === undefined) return;
    this.#outcome ??= { error: cancelled() };
    this.#stream.close(constants.NGHTTP2_CANCEL);
    // They may be in the chunk that is being read, and one of them may have led to this call.
    process.nextTick(() => this.#finish(this.#outcome?.error));
  }

  /** Stops reading until `resume`. The server may still fill the window of the stream. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Called by the listeners of the stream. */
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
    // A lost connection ends the call, with the reason of the connection.
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

  /** Ends the call as the server did. */
  #finish(error: ServiceError | undefined): void {
    if (!this.#settle()) return;
    // The server may have answered before it received the whole request.
    if (!this.#stream.writableFinished) this.#stream.close(constants.NGHTTP2_CANCEL);
    const isCut = error === undefined && this.#reader.isPartial;
    this.#options.receiver.onEnd(isCut ? grpcError(status.INTERNAL, "The message ended before its length") : error);
  }

  /** Returns false if the call was settled before. */
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

/** Undefined if the call succeeded. */
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

/** Empty if the headers hold what metadata may not hold. */
function metadataOf(headers: Headers): Metadata {
  try {
    return Metadata.fromHttp2Headers(headers);
  } catch {
    return new Metadata();
  }
}

/** A wrongly encoded message is better shown as it is than dropped. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
