import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { status, type ServiceError } from "@grpc/grpc-js";
import { grpcError } from "./grpc-error.js";
import { Http2Call, type CallOwner, type Http2CallOptions } from "./http2-call.js";
import { probe } from "../protocol/http2-probe.js";
import type { Http2Sockets } from "./http2-sockets.js";

/** Bytes that the server may send ahead of the reader: to one call, and to all. */
const STREAM_WINDOW_BYTES = 1_048_576;
const SESSION_WINDOW_BYTES = 16 * STREAM_WINDOW_BYTES;

export interface Http2SessionOptions {
  readonly sockets: Http2Sockets;
  /** The `:authority` of the requests. */
  readonly authority: string;
  /**
   * While calls are in progress: the time between two pings (undefined: none), and the time that an answer to a ping
   * may take.
   */
  readonly keepaliveMs: number | undefined;
  readonly keepaliveTimeoutMs: number;
}

/**
 * One HTTP/2 connection and its calls. A lost connection stays lost. It keeps the process alive only while it has
 * calls.
 */
export class Http2Session implements CallOwner {
  /** The limit of calls that the server has announced. */
  mostCalls = Infinity;
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  readonly #options: Http2SessionOptions;
  readonly #calls = new Set<Http2Call>();
  #answered = false;
  #lost: ServiceError | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #deadlineTimerMs = Infinity;
  #keepaliveTimer: NodeJS.Timeout | undefined;
  #pingIsDue = false;

  constructor(options: Http2SessionOptions) {
    this.#options = options;
    const { sockets, authority } = options;
    this.#socket = sockets.open((reason) => this.#lose(reason));
    // Ahead of the session's listeners, because the session reports socket errors in other words.
    this.#socket.once("error", (error) => this.#lose(messageOf(error)));
    this.#socket.once("close", () => this.#lose());
    this.#session = connect(`${sockets.scheme}://${authority}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      // Node would refuse streams when it holds this many megabytes. The callers bound their calls themselves.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
    });
    this.#session.once("connect", () => {
      // node:http2 reports it a tick late.
      if (!this.#session.destroyed) this.#session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    this.#session.on("remoteSettings", ({ maxConcurrentStreams = Infinity }) => {
      this.#answered = true;
      this.mostCalls = maxConcurrentStreams;
    });
    this.#session.on("error", (error) => this.#lose(messageOf(error)));
    this.#session.once("close", () => this.#lose());
    this.#socket.unref();
  }

  /** False after it was lost or closed, or after the server refused further calls. */
  get isOpen(): boolean {
    return this.#lost === undefined && !this.#session.closed && !this.#session.destroyed;
  }

  /** The `:authority` of its requests. */
  get authority(): string {
    return this.#options.authority;
  }

  get isDestroyed(): boolean {
    return this.#session.destroyed;
  }

  /** @throws Error if the session is not open */
  call(headers: OutgoingHttpHeaders, frame: Buffer, options: Http2CallOptions): Http2Call {
    const stream = this.#session.request(headers);
    const call = new Http2Call(stream, this, options);
    this.#add(call);
    stream.end(frame);
    return call;
  }

  /** Calls in progress continue. */
  close(): void {
    if (this.#calls.size === 0) this.#session.destroy();
    else this.#session.close();
  }

  #add(call: Http2Call): void {
    this.#calls.add(call);
    if (this.#calls.size === 1) {
      this.#socket.ref();
      if (this.#pingIsDue) this.#ping();
      else this.#keepalive();
    }
    if (call.deadlineMs < this.#deadlineTimerMs) this.#expireAt(call.deadlineMs);
  }

  onSettled(call: Http2Call): void {
    this.#calls.delete(call);
    if (this.#calls.size === 0) this.#socket.unref();
  }

  /** One timer for all calls: most calls end long before their deadline and never move it. */
  #expireAt(deadlineMs: number): void {
    clearTimeout(this.#deadlineTimer);
    this.#deadlineTimerMs = deadlineMs;
    this.#deadlineTimer = undefined;
    if (deadlineMs === Infinity) return;
    this.#deadlineTimer = this.#after(Math.ceil(deadlineMs - performance.now()), () => {
      const nowMs = performance.now();
      let nextMs = Infinity;
      for (const call of this.#calls) {
        if (call.deadlineMs <= nowMs) call.expire();
        else nextMs = Math.min(nextMs, call.deadlineMs);
      }
      this.#expireAt(nextMs);
    });
  }

  #keepalive(): void {
    const { keepaliveMs } = this.#options;
    if (keepaliveMs !== undefined) this.#keepaliveTimer ??= this.#after(keepaliveMs, () => this.#ping());
  }

  /**
   * https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md: a client without calls sends no pings.
   */
  #ping(): void {
    this.#keepaliveTimer = undefined;
    this.#pingIsDue = this.#calls.size === 0;
    if (this.#pingIsDue || this.#lost !== undefined || this.#session.destroyed) return;
    this.#keepaliveTimer = this.#after(this.#options.keepaliveTimeoutMs, () => {
      this.#lose("The server does not answer pings");
    });
    probe(this.#session, (error) => {
      if (error !== null) return;
      clearTimeout(this.#keepaliveTimer);
      this.#keepaliveTimer = undefined;
      this.#keepalive();
    });
  }

  #after(ms: number, callback: () => void): NodeJS.Timeout {
    return setTimeout(callback, ms).unref();
  }

  #lose(reason = this.#answered ? "Connection dropped" : "Failed to connect"): void {
    if (this.#lost !== undefined) return;
    this.#lost = grpcError(status.UNAVAILABLE, reason);
    clearTimeout(this.#keepaliveTimer);
    clearTimeout(this.#deadlineTimer);
    for (const call of this.#calls) call.fail(grpcError(status.UNAVAILABLE, reason));

    this.#session.destroy();
  }
}

/** If several addresses failed, the error of the last one is reported, as in grpc-js. */
function messageOf(error: Error): string {
  const last: unknown = error instanceof AggregateError ? error.errors.at(-1) : error;
  return last instanceof Error ? last.message : error.message;
}
