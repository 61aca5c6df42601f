import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import { ConnectionLoad } from "../connection-load.js";
import { Deadlines } from "./deadlines.js";
import type { Cancel, SteadyTime } from "../../clock/system-time.js";
import { statusOf, type Handler } from "../../service/call.js";
import { GrpcCall, type GrpcConnection } from "./call.js";
import { CALL_BYTES, MOST_CALLS, MOST_HEADER_BYTES, MOST_HELD_BYTES } from "../../limits/limits.js";
import { MemoryBudget } from "../memory-budget.js";
import { GrpcStatus } from "../../../protocol/grpc-status.js";
import { probe } from "../../../protocol/http2-probe.js";
import { NO_TOKEN, TOKEN_HEADER, isToken } from "../../../protocol/loopback-door.js";
import { respondAtOnce, statusHeaders } from "./status.js";
import { UnfinishedRequests } from "./unfinished-requests.js";

/** A connection that leaves a ping unanswered for `PING_EVERY_MS + PING_TIMEOUT_MS` = 30 s is closed. */
const PING_EVERY_MS = 10_000;
const PING_TIMEOUT_MS = 20_000;

/**
 * What clients may send ahead of what was read stays at HTTP/2's 64 KiB. node:http2 does not read while a write waits for
 * the other end to read: with more on the way than the sockets between them hold, a client on node:http2 and this server
 * would wait for each other for good.
 */
const SESSION_OPTIONS = {
  // Node would refuse streams when it holds this many megabytes.
  maxSessionMemory: Number.MAX_SAFE_INTEGER,
  // A client may cancel all of its calls at once. Beyond 1,000, and 33 a second, nghttp2 would close the connection.
  streamResetBurst: MOST_CALLS,
  streamResetRate: MOST_CALLS,
  settings: { maxHeaderListSize: MOST_HEADER_BYTES },
};

/** What `grpc-timeout` has: milliseconds of each unit. */
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

export interface GrpcOptions {
  /** For deadlines and pings. */
  readonly clock: SteadyTime;
  /** What the calls of the connection may hold, with those of other connections. */
  readonly budget?: MemoryBudget;
  /** Told when the client has sent its preface and its settings, and a call with the token if there is one. */
  readonly onGreeted?: () => void;
  /** What every call has to show; undefined: nothing. */
  readonly token?: string | undefined;
}

/**
 * Serves gRPC on a socket that was accepted, as HTTP/2 without TLS: unary and server-streaming calls, without
 * compression, within `limits.ts`. `handlers` are by the paths of their methods. It ends when the socket does.
 */
export function serveGrpc(
  socket: Socket,
  handlers: ReadonlyMap<string, Handler>,
  { clock, budget = new MemoryBudget(MOST_HELD_BYTES), onGreeted = () => {}, token }: GrpcOptions,
): void {
  const session = performServerHandshake(socket, SESSION_OPTIONS);
  if (token === undefined) session.once("remoteSettings", onGreeted);
  const connection: GrpcConnection = {
    handlers,
    clock,
    deadlines: new Deadlines(clock),
    unfinished: new UnfinishedRequests(clock),
    load: new ConnectionLoad(budget),
  };
  session.on("stream", (stream, headers) => {
    if (token === undefined) {
      accept(stream, headers, connection);
    } else if (isToken(token, String(headers[TOKEN_HEADER]))) {
      onGreeted();
      accept(stream, headers, connection);
    } else {
      turnAway(stream, session);
    }
  });
  // What breaks the protocol, and a socket that fails: the session is over, and that is all there is to do.
  session.on("error", ignore);
  socket.on("error", ignore);
  const stopPings = keepAlive(session, clock);
  session.once("close", () => {
    stopPings();
    connection.deadlines.close();
    connection.unfinished.close();
  });
}

/** Its connection ends with this answer. */
function turnAway(stream: ServerHttp2Stream, session: ServerHttp2Session): void {
  stream.on("error", ignore);
  if (stream.destroyed || stream.closed) return;
  respondAtOnce(stream, statusHeaders(GrpcStatus.UNAUTHENTICATED, NO_TOKEN));
  session.close();
}

function accept(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, connection: GrpcConnection): void {
  // Whatever it is, the stream closes as well, and its call is told by that.
  stream.on("error", ignore);
  if (stream.destroyed || stream.closed) return;

  const bytes = CALL_BYTES + bytesOf(headers);
  try {
    connection.load.beginCall(bytes);
  } catch (error) {
    refuse(stream, error, connection.load, bytes);
    return;
  }
  const { ":method": method, ":path": path = "", "content-type": contentType, "grpc-timeout": timeout } = headers;
  const handler = connection.handlers.get(path);
  const timeoutMs = timeout === undefined ? Infinity : parseTimeout(timeout);
  if (handler !== undefined && timeoutMs !== undefined && method === "POST" && isGrpc(contentType)) {
    const deadlineMs = connection.clock.steadyMs() + timeoutMs;
    connection.deadlines.add(new GrpcCall(stream, headers, handler, deadlineMs, connection, bytes));
    return;
  }
  stream.once("close", () => {
    connection.load.endCall(bytes);
  });
  if (method !== "POST") {
    stream.respond({ ":status": constants.HTTP_STATUS_METHOD_NOT_ALLOWED, allow: "POST" }, { endStream: true });
  } else if (!isGrpc(contentType)) {
    stream.respond({ ":status": constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
  } else if (handler === undefined) {
    const message = `The server does not implement the method ${path}`;
    respondAtOnce(stream, statusHeaders(GrpcStatus.UNIMPLEMENTED, message));
  } else {
    respondAtOnce(stream, statusHeaders(GrpcStatus.INTERNAL, `Invalid grpc-timeout value "${String(timeout)}"`));
  }
}

/** Tells a call why it is one too many. A client that does not take that in either is no longer heard. */
function refuse(stream: ServerHttp2Stream, error: unknown, load: ConnectionLoad, bytes: number): void {
  if (!load.holdRefused(bytes)) {
    stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
    return;
  }
  stream.once("close", () => {
    load.release(bytes);
  });
  const { code, message } = statusOf(error);
  respondAtOnce(stream, statusHeaders(code, message));
}

function isGrpc(contentType: string | undefined): boolean {
  return /^application\/grpc(?:[+;]|$)/u.test(contentType ?? "");
}

/** What the headers of a call take, about. */
function bytesOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const name in headers) bytes += name.length + String(headers[name]).length;

  return bytes;
}

/** Milliseconds; undefined if it is none. */
function parseTimeout(header: string | string[]): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/u.exec(String(header)) ?? [];
  return digits === undefined ? undefined : Number(digits) * UNIT_MS[unit]!;
}

/** Closes the session once it leaves a ping unanswered. Returns what stops it. */
function keepAlive(session: ServerHttp2Session, clock: SteadyTime): Cancel {
  let cancel: Cancel;
  const pingLater = (): void => {
    cancel = clock.after(PING_EVERY_MS, ping);
  };
  const ping = (): void => {
    if (session.destroyed) return;

    cancel = clock.after(PING_TIMEOUT_MS, () => {
      session.destroy();
    });
    probe(session, (error) => {
      cancel();
      if (error === null) pingLater();
      else session.destroy();
    });
  };
  pingLater();
  return () => {
    cancel();
  };
}

function ignore(): void {}
