import { connect, type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import type { Socket } from "node:net";
import { status, type ServiceError } from "@grpc/grpc-js";
import { grpcError } from "./grpc-error.js";
import { Http2Call, type CallOwner, type Http2CallOptions } from "./http2-call.js";
import type { Http2Sockets } from "./http2-sockets.js";

/** Bytes that the server may send ahead of what has been read: to one call, and to all. */
const STREAM_WINDOW_BYTES = 1_048_576;
const SESSION_WINDOW_BYTES = 16 * STREAM_WINDOW_BYTES;

export interface Http2SessionOptions {
  readonly sockets: Http2Sockets;
  /** What `:authority` is. */
  readonly authority: string;
  /**
   * While calls are under way, how often the server is asked whether it is there, undefined for never, and how long it
   * may take to say so.
   */
  readonly keepaliveMs: number | undefined;
  readonly keepaliveTimeoutMs: number;
}

/**
 * One HTTP/2 connection and the calls on it. Once lost it stays lost. It keeps the process alive only while there are
 * calls.
 */
export class Http2Session implements CallOwner {
  /** Calls that the server allows, as far as it has said so. */
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
    // Before those of the session, which has words of its own for what the socket knows.
    this.#socket.once("error", (error) => this.#lose(messageOf(error)));
    this.#socket.once("close", () => this.#lose());
    this.#session = connect(`${sockets.scheme}://${authority}`, {
      createConnection: () => this.#socket,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      // Node would refuse streams when it holds this many megabytes; what calls may take is for others to say.
      maxSessionMemory: Number.MAX_SAFE_INTEGER,
      maxSendHeaderBlockLength: Number.MAX_SAFE_INTEGER,
    });
    this.#session.once("connect", () => {
      // It is told a tick late.
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

  /** False once it is lost, closed, or the server has said that it will take no more calls. */
  get isOpen(): boolean {
    return this.#lost === undefined && !this.#session.closed && !this.#session.destroyed;
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

  /** Calls under way go on. */
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

  /** One timer for all calls: most end long before their deadline, and never move it. */
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

  /** https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md: a client without calls sends no pings. */
  #ping(): void {
    this.#keepaliveTimer = undefined;
    this.#pingIsDue = this.#calls.size === 0;
    if (this.#pingIsDue || !this.isOpen) return;
    this.#keepaliveTimer = this.#after(this.#options.keepaliveTimeoutMs, () => {
      this.#lose("The server does not answer pings");
    });
    this.#session.ping((error) => {
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

/** Of several addresses that were tried in vain the last one speaks, as with grpc-js. */
function messageOf(error: Error): string {
  const last: unknown = error instanceof AggregateError ? error.errors.at(-1) : error;
  return last instanceof Error ? last.message : error.message;
}
