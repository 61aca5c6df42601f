import { once } from "node:events";
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import { Metadata, status, type ChannelOptions, type ServiceError } from "@grpc/grpc-js";
import { expect } from "vitest";
import { isServiceError } from "../../../src/backend/call-retry.js";
import { channelOptions } from "../../../src/backend/channel-options.js";
import { Http2Connection, type StreamCall } from "../../../src/backend/http2-connection.js";
import { framed } from "../../../src/protocol/grpc-frame.js";
import type { UnaryCallOptions } from "../../../src/backend/unary-connection.js";
import { TestAuthority, type Identity } from "./certificates.js";

export const PATH = "/TestService/Test";
export const OK = { "grpc-status": "0" };
export const ANSWER = { ":status": 200, "content-type": "application/grpc" };
export const REQUEST = Buffer.from("request");
/** Frames: SETTINGS without any, and a GOAWAY by which no stream was or will be looked at. */
export const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
export const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** What the tests of the client run over: it is to be the same client. */
export const WIRES = ["plaintext", "TLS"] as const;
export type Wire = (typeof WIRES)[number];

type Handler = (stream: ServerHttp2Stream, headers: NodeJS.Dict<string | string[]>) => void;

/** A server of HTTP/2 that does with each call what a test says, and connections to it. */
export class Http2TestServer {
  readonly server: Http2Server | Http2SecureServer;
  readonly sessions: ServerHttp2Session[] = [];
  /** The server's ends of the calls that are left to the test. */
  readonly held: ServerHttp2Stream[] = [];
  readonly #connections: Http2Connection[] = [];
  readonly #sockets = new Set<Socket>();
  #port = 0;
  /** What is done with a call once its headers are there: by default it is answered. */
  handle: Handler = (stream) => answer(stream, framed(REQUEST));

  private constructor(
    readonly wire: Wire,
    identity: Identity | undefined,
  ) {
    const options = { settings: { maxConcurrentStreams: 50 } };
    this.server =
      identity === undefined ? createServer(options) : createSecureServer({ ...options, ...tlsOptions(identity) });
    // What has no HTTP/2 yet is none of `sessions`.
    this.server.on("connection", (socket: Socket) => this.#sockets.add(socket));
    this.server.on("session", (session) => {
      this.sessions.push(session);
      session.on("error", () => {});
    });
    this.server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      this.handle(stream, headers);
    });
  }

  static async start(wire: Wire = "plaintext"): Promise<Http2TestServer> {
    const started = new Http2TestServer(wire, wire === "TLS" ? await trustedIdentity() : undefined);
    started.#port = await listen(started.server);
    return started;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Takes a call on, and leaves what becomes of it to the test. */
  readonly hold = (stream: ServerHttp2Stream): void => {
    this.held.push(stream);
    stream.respond(ANSWER, { waitForTrailers: true });
  };

  connect(address = this.address, options: ChannelOptions = channelOptions("scheduler")): Http2Connection {
    const connection = new Http2Connection({ address, isSecure: this.wire === "TLS", options });
    this.#connections.push(connection);
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    for (const session of this.sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed(this.server);
  }
}

function tlsOptions({ key, certificate }: Identity): { readonly key: Buffer; readonly cert: Buffer } {
  return { key, cert: certificate };
}

let identity: Promise<Identity> | undefined;

/** A certificate of this machine's names, of an authority that this process trusts from now on. */
function trustedIdentity(): Promise<Identity> {
  identity ??= (async () => {
    const authority = await TestAuthority.create();
    setDefaultCACertificates([...getCACertificates("default"), await authority.certificate()]);
    const issued = await authority.issue("localhost", "127.0.0.1");
    await authority.close();
    return issued;
  })();
  return identity;
}

/** A server of what a test says, without HTTP/2: what it says is said behind TLS where there is some. */
export async function rawServer(
  wire: Wire,
  onSocket: (socket: Socket) => void,
  protocols: string[] = ["h2"],
): Promise<Server> {
  return wire === "plaintext"
    ? createSocketServer(onSocket)
    : createTlsServer(
        { ...tlsOptions(await trustedIdentity()), ...(protocols.length > 0 && { ALPNProtocols: protocols }) },
        onSocket,
      );
}

export async function listen(at: Http2Server | Http2SecureServer | Server, port = 0): Promise<number> {
  at.listen(port, "127.0.0.1");
  await once(at, "listening");
  return (at.address() as AddressInfo).port;
}

export async function closed(at: Http2Server | Http2SecureServer | Server): Promise<void> {
  if (!at.listening) return;
  at.close();
  await once(at, "close");
}

export function call(
  connection: Http2Connection,
  options: UnaryCallOptions = {},
  request: Uint8Array = REQUEST,
): Promise<Buffer> {
  return connection.call(PATH, request, new Metadata(), options);
}

/** Answers with bytes, one DATA frame for each chunk, and trailers. */
export function answer(stream: ServerHttp2Stream, chunks: Buffer | readonly Buffer[], trailers: object = OK): void {
  stream.respond(ANSWER, { waitForTrailers: true });
  for (const chunk of Array.isArray(chunks) ? (chunks as readonly Buffer[]) : [chunks as Buffer]) stream.write(chunk);
  endWith(stream, trailers);
}

/** Ends an answer whose headers and messages have been sent. */
export function endWith(stream: ServerHttp2Stream, trailers: object): void {
  stream.once("wantTrailers", () => stream.sendTrailers({ ...trailers }));
  stream.end();
}

/** Answers with one header block that ends the stream. */
export function answerAtOnce(stream: ServerHttp2Stream, headers: object): void {
  stream.respond({ ...ANSWER, ...headers }, { endStream: true });
}

export async function errorOf(failing: Promise<unknown>): Promise<ServiceError> {
  const error = await failing.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toSatisfy(isServiceError);
  expect((error as ServiceError).metadata).toBeInstanceOf(Metadata);
  return error as ServiceError;
}

/** Messages as they stand on a stream, one behind the other. */
export function framedTexts(...texts: readonly string[]): Buffer {
  return Buffer.concat(texts.map((text) => framed(Buffer.from(text))));
}

/** What the receiver of a stream was told, in order: a message as its text, an end as its status. */
export class Received {
  readonly told: string[] = [];
  readonly messages: Buffer[] = [];
  readonly ended = Promise.withResolvers<ServiceError | undefined>();
  /** What to do with a message. */
  react: (text: string) => void = () => {};

  onOpen(): void {
    this.told.push("open");
  }

  onMessage(message: Buffer): void {
    this.messages.push(message);
    const text = message.length > 20 ? `${message.length} bytes` : String(message);
    this.told.push(text);
    this.react(text);
  }

  onEnd(error: ServiceError | undefined): void {
    this.told.push(error === undefined ? "end" : `end: ${status[error.code]}`);
    this.ended.resolve(error);
  }
}

/** Opens a stream. */
export function openStream(connection: Http2Connection): { readonly received: Received; readonly call: StreamCall } {
  const received = new Received();
  return { received, call: connection.stream(PATH, REQUEST, new Metadata(), received) };
}
