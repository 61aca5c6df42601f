import { constants, type ClientHttp2Stream, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from "node:http2";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { dropAbort, onAbort } from "./abort-callbacks.js";
import { errorOfHttpStatus, errorOfReset, grpcError } from "./grpc-error.js";
import { MessageReader } from "./message-frame.js";
import type { UnaryCallOptions } from "./unary-connection.js";

/**
 * The call of a stream, until it is settled: node:http2 holds its streams so that they survive the collections of the
 * young, and what they refer to would survive with them. For the same reason listeners are shared by all streams.
 */
const CALL = Symbol("call");

interface CallStream extends ClientHttp2Stream {
  [CALL]?: Http2Call | undefined;
}

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

export interface Http2CallOptions extends UnaryCallOptions {
  readonly mostBytes: number;
  readonly resolve: (message: Buffer) => void;
  readonly reject: (error: ServiceError) => void;
}

/** What a call is told by, and tells, the connection that it is on. */
export interface CallOwner {
  readonly isDestroyed: boolean;
  onSettled(call: Http2Call): void;
}

/** One unary call on an HTTP/2 stream of its own. */
export class Http2Call {
  /** By `performance.now()`. */
  readonly deadlineMs: number;
  readonly #stream: CallStream;
  readonly #owner: CallOwner;
  readonly #options: Http2CallOptions;
  readonly #reader: MessageReader;
  #httpStatus = 0;
  #succeeded = false;
  #streamError: Error | undefined;
  readonly #cancel = (): void => this.fail(grpcError(status.CANCELLED, "Cancelled on client"));

  constructor(stream: ClientHttp2Stream, owner: CallOwner, options: Http2CallOptions) {
    const { timeoutMs = Infinity, signal, mostBytes } = options;
    this.deadlineMs = performance.now() + timeoutMs;
    this.#stream = stream;
    this.#owner = owner;
    this.#options = options;
    this.#reader = new MessageReader(mostBytes);
    this.#stream[CALL] = this;
    this.#stream.on("response", onResponse);
    this.#stream.on("data", onData);
    this.#stream.on("trailers", onTrailers);
    this.#stream.on("error", onError);
    this.#stream.on("close", onClose);
    if (signal) onAbort(signal, this.#cancel);
  }

  /** Ends the call, if it has not ended, and tells the server. */
  fail(error: ServiceError): void {
    if (!this.#settle()) return;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#options.reject(error);
  }

  expire(): void {
    const seconds = (this.#options.timeoutMs ?? 0) / 1_000;
    this.fail(grpcError(status.DEADLINE_EXCEEDED, `Deadline exceeded after ${seconds} s`));
  }

  /** What the stream's listeners tell. */
  onHeaders(headers: Headers, flags: number): void {
    this.#httpStatus = headers[":status"] ?? 0;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) this.onTrailers(headers);
  }

  onData(chunk: Buffer): void {
    // The page of a proxy is no message.
    if (this.#httpStatus !== constants.HTTP_STATUS_OK) return;
    try {
      this.#reader.add(chunk);
    } catch (error) {
      this.fail(error as ServiceError);
    }
  }

  onTrailers(trailers: Headers): void {
    const code = trailers["grpc-status"];
    if (code === "0") {
      this.#succeeded = true;
      // Without a message there may be one on the way to the listener: the end of the stream tells.
      if (this.#reader.message !== undefined) this.#succeed(this.#reader.message);
    } else {
      this.fail(code === undefined ? errorOfHttpStatus(this.#httpStatus, metadataOf(trailers)) : errorOf(trailers));
    }
  }

  onError(error: Error): void {
    this.#streamError = error;
  }

  onClose(): void {
    // A lost connection ends it, with the reason that the connection has.
    if (this.#owner.isDestroyed) return;
    const { message, isPartial } = this.#reader;
    if (!this.#succeeded) this.fail(this.#errorOfStream());
    else if (message !== undefined) this.#succeed(message);
    else if (isPartial) this.fail(grpcError(status.INTERNAL, "The message ended before its length"));
    else this.fail(grpcError(status.UNIMPLEMENTED, "No message received"));
  }

  #errorOfStream(): ServiceError {
    const code = this.#stream.rstCode;
    if (code === constants.NGHTTP2_NO_ERROR && this.#httpStatus !== 0 && this.#httpStatus !== 200) {
      return errorOfHttpStatus(this.#httpStatus);
    }
    const error = this.#streamError;
    const isReset = error === undefined || ("code" in error && error.code === "ERR_HTTP2_STREAM_ERROR");
    return isReset ? errorOfReset(code) : grpcError(status.INTERNAL, error.message);
  }

  #succeed(message: Buffer): void {
    if (!this.#settle()) return;
    // The server may have answered before it had all of the request.
    if (!this.#stream.writableFinished) this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#options.resolve(message);
  }

  /** False if it was settled before. */
  #settle(): boolean {
    if (this.#stream[CALL] === undefined) return false;
    this.#stream[CALL] = undefined;
    const { signal } = this.#options;
    if (signal) dropAbort(signal, this.#cancel);
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

function errorOf(trailers: Headers): ServiceError {
  const metadata = metadataOf(trailers);
  const [message = ""] = metadata.get("grpc-message");
  const code = Number(trailers["grpc-status"]);
  metadata.remove("grpc-status");
  metadata.remove("grpc-message");
  return grpcError(isStatus(code) ? code : status.UNKNOWN, percentDecoded(String(message)), metadata);
}

function isStatus(code: number): code is status {
  return code in status;
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
