import { status, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { FANOUT_VERSION } from "../version.js";
import type { GrpcTarget } from "./grpc-target.js";
import { grpcError } from "./grpc-error.js";
import type { AnswerReceiver, Http2Call, Http2CallOptions } from "./http2-call.js";
import { Http2Session, type Http2SessionOptions } from "./http2-session.js";
import { PlaintextSockets, TlsSockets, socketAddressOf } from "./http2-sockets.js";
import { UnaryAnswer } from "./http2-unary-answer.js";
import { framed } from "../protocol/grpc-frame.js";
import { checkLength } from "./message-reader.js";
import {
  CALLS_PER_CONNECTION,
  type ReadCallOptions,
  type UnaryCallOptions,
  type UnaryConnection,
} from "./unary-connection.js";

/** The default of grpc-js. */
const MOST_RECEIVED_BYTES = 4 * 1_048_576;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const UNLIMITED = -1;
/** The largest number in a gRPC header, which has at most eight digits. */
const MOST_DIGITS = 99_999_999;

/** A call whose answer is a stream. */
export interface StreamCall {
  /** Asks for no more, and ends the call with CANCELLED after the received messages. */
  cancel(): void;
  /** Stops reading until `resume`. Other calls continue. Messages that were received may still be delivered. */
  pause(): void;
  resume(): void;
}

/**
 * gRPC calls over HTTP/2, on node:http2 alone. A call of grpc-js leaves garbage that lives as long as its stream. At
 * 2,000 calls a second its collection stops a load generator for 15 ms at a time; here it takes a third of that.
 * Concurrent calls share one connection, also while it is being made, and node:http2 writes calls of one turn together.
 * The `options` have the meaning that they have in grpc-js.
 */
export class Http2Connection implements UnaryConnection {
  #session: Http2Session | undefined;
  #closed = false;
  #calls = 0;
  readonly #target: Http2Target;
  #options: (Http2SessionOptions & { readonly address: string }) | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #mostReceivedBytes: number;
  readonly #mostSentBytes: number;

  constructor(target: Http2Target) {
    const { options } = target;
    this.#target = target;
    this.#mostReceivedBytes = limitOf(options["grpc.max_receive_message_length"] ?? MOST_RECEIVED_BYTES);
    this.#mostSentBytes = limitOf(options["grpc.max_send_message_length"] ?? UNLIMITED);
    const name = options["grpc.primary_user_agent"];
    this.#headers = {
      ":method": "POST",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": `${name === undefined ? "" : `${name} `}grpc-node-http2/${FANOUT_VERSION}`,
    };
  }

  get calls(): number {
    return this.#calls;
  }

  get mostCalls(): number {
    return Math.max(1, Math.min(CALLS_PER_CONNECTION, this.#session?.mostCalls ?? CALLS_PER_CONNECTION));
  }

  call(path: string, request: Uint8Array, metadata: Metadata, options: UnaryCallOptions = {}): Promise<Buffer> {
    return this.#counted(path, request, metadata, options, (resolve, reject) => new UnaryAnswer(resolve, reject));
  }

  read(path: string, request: Uint8Array, metadata: Metadata, options: ReadCallOptions): Promise<void> {
    return this.#counted(path, request, metadata, options, (resolve, reject) => ({
      onMessage: options.onMessage,
      onEnd: (error) => (error === undefined ? resolve() : reject(error)),
    }));
  }

  /**
   * Makes a call whose answer is any number of messages, for any time. It is not one of `calls`. The receiver is called
   * only after this returns.
   * @throws ServiceError if the request is too long
   * @throws Error if the connection was closed
   */
  stream(path: string, request: Uint8Array, metadata: Metadata, receiver: AnswerReceiver): StreamCall {
    return this.#begin(path, request, metadata, { receiver });
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
  }

  async #counted<T>(
    path: string,
    request: Uint8Array,
    metadata: Metadata,
    { signal, timeoutMs }: UnaryCallOptions,
    receiverOf: (resolve: (value: T) => void, reject: (error: ServiceError) => void) => AnswerReceiver,
  ): Promise<T> {
    if (signal?.aborted === true) throw grpcError(status.CANCELLED, "Cancelled on client");
    this.#calls += 1;
    try {
      return await new Promise<T>((resolve, reject) => {
        this.#begin(path, request, metadata, { signal, timeoutMs, receiver: receiverOf(resolve, reject) });
      });
    } finally {
      this.#calls -= 1;
    }
  }

  #begin(
    path: string,
    request: Uint8Array,
    metadata: Metadata,
    options: Omit<Http2CallOptions, "mostBytes">,
  ): Http2Call {
    if (this.#closed) throw new Error("Expected a connection that is open: this one was closed");
    checkLength(request, this.#mostSentBytes);
    const fromMetadata = metadata.toHttp2Headers();
    const session = this.#openSession();
    const headers = {
      ...this.#headers,
      ":authority": session.authority,
      ":path": path,
      ...timeoutHeader(options.timeoutMs),
      ...fromMetadata,
    };
    return session.call(headers, framed(request), { ...options, mostBytes: this.#mostReceivedBytes });
  }

  #openSession(): Http2Session {
    if (this.#session?.isOpen !== true) this.#session = new Http2Session(this.#optionsNow());
    return this.#session;
  }

  /** Those of the last session where the target has not moved: its sockets remember how to shorten a handshake. */
  #optionsNow(): Http2SessionOptions {
    const { address } = this.#target;
    if (this.#options?.address !== address) this.#options = { address, ...sessionOptions(this.#target) };
    return this.#options;
  }
}

type Http2Target = Pick<GrpcTarget, "address" | "isSecure" | "options">;

function sessionOptions({ address: target, isSecure, options }: Http2Target): Http2SessionOptions {
  const address = socketAddressOf(target, isSecure ? 443 : 80);
  return {
    sockets: isSecure && "host" in address ? new TlsSockets(address) : new PlaintextSockets(address),
    authority: "path" in address ? "localhost" : target,
    keepaliveMs: options["grpc.keepalive_time_ms"],
    keepaliveTimeoutMs: options["grpc.keepalive_timeout_ms"] ?? KEEPALIVE_TIMEOUT_MS,
  };
}

function limitOf(bytes: number): number {
  return bytes === UNLIMITED ? Infinity : bytes;
}

/** In milliseconds, or in seconds if that takes more than eight digits. */
function timeoutHeader(timeoutMs: number | undefined): Readonly<Record<string, string>> | undefined {
  if (timeoutMs === undefined) return undefined;
  const ms = Math.max(1, Math.ceil(timeoutMs));
  return { "grpc-timeout": ms <= MOST_DIGITS ? `${ms}m` : `${Math.ceil(ms / 1_000)}S` };
}
