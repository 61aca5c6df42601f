import { once } from "node:events";
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Metadata, credentials, status, type ChannelOptions, type ServiceError } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isServiceError } from "../../src/backend/call-retry.js";
import { channelOptions } from "../../src/backend/channel-options.js";
import { Http2Connection } from "../../src/backend/http2-connection.js";
import { framed } from "../../src/backend/message-frame.js";
import { SidecarClient } from "../../src/backend/sidecar-client.js";
import type { UnaryCallOptions } from "../../src/backend/unary-connection.js";
import { metadataOf } from "../emulator/raw-connection.js";
import { ServedEmulator } from "../emulator/served-emulator.js";

const PATH = "/TestService/Test";
const OK = { "grpc-status": "0" };
const ANSWER = { ":status": 200, "content-type": "application/grpc" };
const REQUEST = Buffer.from("request");
/** Frames: SETTINGS without any, and a GOAWAY by which no stream was or will be looked at. */
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

let server: Http2Server;
let sessions: ServerHttp2Session[];
let connections: Http2Connection[];
/** What the server does with a call once its headers are there. */
let handle: (stream: ServerHttp2Stream, headers: NodeJS.Dict<string | string[]>) => void;
let port: number;

beforeEach(async () => {
  connections = [];
  sessions = [];
  handle = (stream) => answer(stream, framed(REQUEST));
  server = createServer({ settings: { maxConcurrentStreams: 50 } });
  server.on("session", (session) => {
    sessions.push(session);
    session.on("error", () => {});
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    handle(stream, headers);
  });
  port = await listen(server);
});

afterEach(async () => {
  vi.useRealTimers();
  for (const connection of connections) connection.close();
  for (const session of sessions) session.destroy();
  await closed(server);
});

async function listen(at: Http2Server | Server): Promise<number> {
  at.listen(0, "127.0.0.1");
  await once(at, "listening");
  return (at.address() as AddressInfo).port;
}

async function closed(at: Http2Server | Server): Promise<void> {
  if (!at.listening) return;
  at.close();
  await once(at, "close");
}

function connect(address = `127.0.0.1:${port}`, options: ChannelOptions = channelOptions("scheduler")) {
  const connection = new Http2Connection({ address, options });
  connections.push(connection);
  return connection;
}

function call(connection: Http2Connection, options: UnaryCallOptions = {}, request = REQUEST): Promise<Buffer> {
  return connection.call(PATH, request, new Metadata(), options);
}

/** Answers with bytes, one DATA frame for each chunk, and trailers. */
function answer(stream: ServerHttp2Stream, chunks: Buffer | readonly Buffer[], trailers: object = OK): void {
  stream.respond(ANSWER, { waitForTrailers: true });
  stream.once("wantTrailers", () => stream.sendTrailers({ ...trailers }));
  for (const chunk of Array.isArray(chunks) ? (chunks as readonly Buffer[]) : [chunks as Buffer]) stream.write(chunk);
  stream.end();
}

/** Answers with one header block that ends the stream. */
function answerAtOnce(stream: ServerHttp2Stream, headers: object): void {
  stream.respond({ ...ANSWER, ...headers }, { endStream: true });
}

/** Connections that keep the process alive. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

async function errorOf(failing: Promise<unknown>): Promise<ServiceError> {
  const error = await failing.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toSatisfy(isServiceError);
  expect((error as ServiceError).metadata).toBeInstanceOf(Metadata);
  return error as ServiceError;
}

describe("a call", () => {
  test("sends what gRPC asks for, and its metadata", async () => {
    let headers: NodeJS.Dict<string | string[]> = {};
    const body: Buffer[] = [];
    handle = (stream, received) => {
      headers = received;
      stream.on("data", (chunk: Buffer) => body.push(chunk));
      stream.on("end", () => answer(stream, framed(Buffer.from("answer"))));
    };
    const metadata = new Metadata();
    metadata.set("taskhub", "hub-1");
    metadata.set("token-bin", Buffer.from([0, 255]));
    const answered = await connect().call(PATH, REQUEST, metadata, { timeoutMs: 1_500 });
    expect(answered.toString()).toBe("answer");
    expect(headers).toMatchObject({
      ":method": "POST",
      ":scheme": "http",
      ":path": PATH,
      ":authority": `127.0.0.1:${port}`,
      "content-type": "application/grpc",
      te: "trailers",
      "grpc-timeout": "1500m",
      taskhub: "hub-1",
      "token-bin": "AP8=",
    });
    expect(headers["user-agent"]).toMatch(/^fanout grpc-node-http2\//u);
    expect(Buffer.concat(body)).toEqual(Buffer.from("\0\0\0\0\u0007request"));
  });

  test.each([
    [0.2, "1m"],
    [99_999_999, "99999999m"],
    [100_000_000, "100000S"],
  ])("that may take %d ms says %s", async (timeoutMs, expected) => {
    const received = Promise.withResolvers<unknown>();
    handle = (_, headers) => received.resolve(headers["grpc-timeout"]);
    const abort = new AbortController();
    const failed = call(connect(), { timeoutMs, signal: abort.signal }).catch(() => {});
    expect(await received.promise).toBe(expected);
    abort.abort();
    await failed;
  });

  test("reads its answer however it is cut", async () => {
    const connection = connect();
    const property = fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.nat({ max: 305 }), { maxLength: 8 }),
      async (message, cuts) => {
        const frame = framed(message);
        const places = [0, ...cuts.filter((cut) => cut < frame.length).sort((a, b) => a - b), frame.length];
        const chunks = places.slice(1).map((end, index) => frame.subarray(places[index], end));
        handle = (stream) => answer(stream, chunks);
        expect(new Uint8Array(await call(connection))).toEqual(message);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });

  test("carries megabytes both ways", async () => {
    const large = Buffer.alloc(5_000_000, "x");
    handle = (stream) => {
      const body: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => body.push(chunk));
      stream.on("end", () => answer(stream, Buffer.concat(body)));
    };
    expect((await call(connect(), {}, large)).equals(large)).toBe(true);
  });

  test("reaches a Unix socket", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "fanout-"));
    const socket = path.join(folder, "socket");
    await closed(server);
    server.listen(socket);
    await once(server, "listening");
    let authority: unknown;
    handle = (stream, headers) => {
      authority = headers[":authority"];
      answer(stream, framed(REQUEST));
    };
    expect(await call(connect(`unix:${socket}`))).toEqual(REQUEST);
    expect(authority).toBe("localhost");
    rmSync(folder, { recursive: true });
  });
});

describe("a server that answers with", () => {
  const compressed = Buffer.from([1, 0, 0, 0, 1, 65]);
  test.each<[string, (stream: ServerHttp2Stream) => void, status, RegExp]>([
    [
      "an error in its trailers",
      (stream) => answer(stream, [], { "grpc-status": "5", "grpc-message": "no %E2%82%AC%0A100%25" }),
      status.NOT_FOUND,
      /^no €\n100%$/u,
    ],
    [
      "an error and nothing else",
      (stream) => answerAtOnce(stream, { "grpc-status": "16", "grpc-message": "who?" }),
      status.UNAUTHENTICATED,
      /^who\?$/u,
    ],
    [
      "an error behind a message",
      (stream) => answer(stream, framed(REQUEST), { "grpc-status": "13" }),
      status.INTERNAL,
      /^$/u,
    ],
    [
      "an error message that is not encoded",
      (stream) => answerAtOnce(stream, { "grpc-status": "3", "grpc-message": "50% wrong" }),
      status.INVALID_ARGUMENT,
      /^50% wrong$/u,
    ],
    ["a status that gRPC has not", (stream) => answerAtOnce(stream, { "grpc-status": "99" }), status.UNKNOWN, /^$/u],
    ["success and no message", (stream) => answer(stream, []), status.UNIMPLEMENTED, /No message received/u],
    ["success at once", (stream) => answerAtOnce(stream, OK), status.UNIMPLEMENTED, /No message received/u],
    [
      "half a message",
      (stream) => answer(stream, framed(REQUEST).subarray(0, 8)),
      status.INTERNAL,
      /ended before its length/u,
    ],
    [
      "two messages",
      (stream) => answer(stream, [framed(REQUEST), framed(REQUEST)]),
      status.UNIMPLEMENTED,
      /Too many responses/u,
    ],
    [
      "two messages in one frame",
      (stream) => answer(stream, Buffer.concat([framed(REQUEST), framed(REQUEST)])),
      status.UNIMPLEMENTED,
      /Too many responses/u,
    ],
    ["a compressed message", (stream) => answer(stream, compressed), status.INTERNAL, /compressed/u],
    ["trailers without a status", (stream) => answer(stream, [], { a: "b" }), status.UNKNOWN, /HTTP status code 200/u],
    [
      "no trailers",
      (stream) => {
        stream.respond(ANSWER);
        stream.end(framed(REQUEST));
      },
      status.INTERNAL,
      /without a gRPC status/u,
    ],
    ...[
      ...new Map<number, status>([
        [400, status.INTERNAL],
        [401, status.UNAUTHENTICATED],
        [403, status.PERMISSION_DENIED],
        [404, status.UNIMPLEMENTED],
        [429, status.UNAVAILABLE],
        [500, status.UNKNOWN],
        [502, status.UNAVAILABLE],
        [503, status.UNAVAILABLE],
        [504, status.UNAVAILABLE],
      ]),
    ].flatMap(([httpStatus, code]): [string, (stream: ServerHttp2Stream) => void, status, RegExp][] => [
      [
        `HTTP status ${httpStatus} and a page`,
        (stream) => {
          stream.respond({ ":status": httpStatus, "content-type": "text/html" });
          stream.end("<html>no</html>");
        },
        code,
        new RegExp(`HTTP status code ${httpStatus}`, "u"),
      ],
      [
        `HTTP status ${httpStatus} alone`,
        (stream) => stream.respond({ ":status": httpStatus }, { endStream: true }),
        code,
        new RegExp(`HTTP status code ${httpStatus}`, "u"),
      ],
    ]),
    [
      "HTTP status 503 and a gRPC status",
      (stream) => answerAtOnce(stream, { ":status": 503, "grpc-status": "8", "grpc-message": "full" }),
      status.RESOURCE_EXHAUSTED,
      /^full$/u,
    ],
    ...Object.entries({
      NGHTTP2_NO_ERROR: status.INTERNAL,
      NGHTTP2_PROTOCOL_ERROR: status.INTERNAL,
      NGHTTP2_INTERNAL_ERROR: status.INTERNAL,
      NGHTTP2_REFUSED_STREAM: status.UNAVAILABLE,
      NGHTTP2_CANCEL: status.CANCELLED,
      NGHTTP2_ENHANCE_YOUR_CALM: status.RESOURCE_EXHAUSTED,
      NGHTTP2_INADEQUATE_SECURITY: status.PERMISSION_DENIED,
    }).map(([name, code]): [string, (stream: ServerHttp2Stream) => void, status, RegExp] => [
      `a reset by ${name}`,
      (stream) => stream.close(constants[name as "NGHTTP2_CANCEL"]),
      code,
      /./u,
    ]),
    [
      "a reset behind headers and half a message",
      (stream) => {
        stream.respond(ANSWER);
        stream.write(framed(REQUEST).subarray(0, 8), () => stream.close(constants.NGHTTP2_REFUSED_STREAM));
      },
      status.UNAVAILABLE,
      /refused/u,
    ],
    [
      "the end of the connection",
      (stream) => stream.session?.destroy(),
      status.UNAVAILABLE,
      /Connection dropped|ECONNRESET/u,
    ],
    [
      "a GOAWAY that says why",
      (stream) => stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM),
      status.UNAVAILABLE,
      /./u,
    ],
  ])("%s fails the call as gRPC says, and the next call succeeds", async (_, misbehave, code, details) => {
    handle = misbehave;
    const connection = connect();
    const error = await errorOf(call(connection));
    expect(status[error.code]).toBe(status[code]);
    expect(error.details).toMatch(details);
    expect(error.message).toBe(`${code} ${status[code]}: ${error.details}`);
    expect(connection.calls).toBe(0);
    handle = (stream) => answer(stream, framed(REQUEST));
    expect(await call(connection)).toEqual(REQUEST);
  });

  test("an error has the metadata of its trailers, without what gRPC itself sends", async () => {
    handle = (stream) =>
      answerAtOnce(stream, { "grpc-status": "3", "grpc-message": "no", "details-bin": "AP8=", reason: "r" });
    const { metadata } = await errorOf(call(connect()));
    expect(metadata.get("details-bin")).toEqual([Buffer.from([0, 255])]);
    expect(metadata.get("reason")).toEqual(["r"]);
    expect(metadata.get("grpc-status")).toEqual([]);
    expect(metadata.get("grpc-message")).toEqual([]);
  });

  test("an answer before it has read the request has answered", async () => {
    expect(await call(connect(), {}, Buffer.alloc(1_000_000))).toEqual(REQUEST);
  });
});

describe("a message that is too long", () => {
  test("is not sent", async () => {
    const connection = connect(undefined, { "grpc.max_send_message_length": 6 });
    const { code, details } = await errorOf(call(connection));
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toContain("7 bytes, where 6 are allowed");
    expect(sessions).toEqual([]);
  });

  test.each([
    [{ "grpc.max_receive_message_length": 7 }, 7, 8],
    [{}, 4_194_304, 4_194_305],
  ])("by %o is not read", async (options, most, tooMany) => {
    const connection = connect(undefined, options);
    handle = (stream) => answer(stream, framed(Buffer.alloc(most)));
    expect(await call(connection)).toHaveLength(most);
    // Its length is enough to know.
    handle = (stream) => answer(stream, framed(Buffer.alloc(tooMany)).subarray(0, 5));
    const { code, details } = await errorOf(call(connection));
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(details).toContain(`${tooMany} bytes, where ${most} are allowed`);
  });
});

describe("an abort", () => {
  test("before the call makes none", async () => {
    const { code, details } = await errorOf(call(connect(), { signal: AbortSignal.abort() }));
    expect(code).toBe(status.CANCELLED);
    expect(details).toBe("Cancelled on client");
    expect(sessions).toEqual([]);
  });

  test("of a call under way tells the server", async () => {
    const abort = new AbortController();
    const reset = Promise.withResolvers<number>();
    handle = (stream) => {
      stream.once("close", () => reset.resolve(stream.rstCode));
      abort.abort();
    };
    expect((await errorOf(call(connect(), { signal: abort.signal }))).code).toBe(status.CANCELLED);
    expect(await reset.promise).toBe(constants.NGHTTP2_CANCEL);
  });

  test("of a call that waits for its connection does not wait", async () => {
    const silent = createSocketServer();
    const silentPort = await listen(silent);
    const abort = new AbortController();
    const error = errorOf(call(connect(`127.0.0.1:${silentPort}`), { signal: abort.signal }));
    abort.abort();
    expect((await error).code).toBe(status.CANCELLED);
    connections.pop()?.close();
    await closed(silent);
  });

  test("after the call changes nothing", async () => {
    const abort = new AbortController();
    const answered = await call(connect(), { signal: abort.signal });
    abort.abort();
    expect(answered).toEqual(REQUEST);
  });
});

describe("a deadline", () => {
  test("ends the calls whose it is, each at its own time, and tells the server", async () => {
    const resets: number[] = [];
    const arrived = Promise.withResolvers<void>();
    let calls = 0;
    handle = (stream) => {
      stream.once("close", () => resets.push(stream.rstCode));
      calls += 1;
      if (calls === 3) arrived.resolve();
    };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const connection = connect();
    const order: string[] = [];
    const waiting = [30, 10, 20].map((seconds) =>
      errorOf(call(connection, { timeoutMs: seconds * 1_000 })).then(({ code, details }) => {
        order.push(`${status[code]}: ${details}`);
      }),
    );
    await arrived.promise;
    vi.advanceTimersByTime(9_999);
    expect(connection.calls).toBe(3);
    vi.advanceTimersByTime(1);
    await waiting[1];
    expect(order).toEqual(["DEADLINE_EXCEEDED: Deadline exceeded after 10 s"]);
    vi.advanceTimersByTime(10_000);
    await waiting[2];
    expect(order).toHaveLength(2);
    vi.advanceTimersByTime(10_000);
    await Promise.all(waiting);
    expect(order[2]).toContain("after 30 s");
    await expect.poll(() => resets).toEqual([8, 8, 8]);
  });
});

test("the emulator is called as it is with grpc-js, and again when it is back", async () => {
  const emulator = await ServedEmulator.start();
  const target = {
    address: emulator.address,
    credentials: credentials.createInsecure(),
    options: channelOptions("emulator"),
    transport: "http2",
    metadata: () => Promise.resolve(metadataOf("default")),
  } as const;
  let reopened: Promise<void> | undefined;
  const recover = (): Promise<void> => (reopened ??= emulator.open());
  const client = new SidecarClient(target, { recover, maxAttempts: 2, explain: (error) => error });
  await client.startInstance({ instanceId: "i", name: "n", input: "ü" });
  expect(await client.getInstance("i", { payloads: true })).toMatchObject({ status: "Pending", input: '"ü"' });
  expect(await client.getInstance("other")).toBeUndefined();
  await expect(client.startInstance({ instanceId: "i", name: "n", input: 1 })).rejects.toMatchObject({
    code: status.ALREADY_EXISTS,
  });
  const abort = new AbortController();
  const waiting = client.waitForCompletion("i", { signal: abort.signal });
  emulator.stop();
  await client.terminate("i", "why");
  expect(client.rpcErrors["UNAVAILABLE"]).toBeGreaterThan(0);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  client.close();
  emulator.close();
});

describe("a connection", () => {
  test("is made by the first call, and one for all that wait for it", async () => {
    const connection = connect();
    expect(sessions).toHaveLength(0);
    await Promise.all(Array.from({ length: 40 }, () => call(connection)));
    expect(sessions).toHaveLength(1);
  });

  test("has room for 80 calls, or for as many as the server allows", async () => {
    const connection = connect();
    expect(connection.mostCalls).toBe(80);
    await call(connection);
    expect(connection.mostCalls).toBe(50);
  });

  test("that says GOAWAY ends its calls and makes no more", async () => {
    const held: ServerHttp2Stream[] = [];
    handle = (stream) => held.push(stream);
    const connection = connect();
    const first = call(connection);
    await expect.poll(() => held.length).toBe(1);
    sessions[0]!.close();
    handle = (stream) => answer(stream, framed(Buffer.from("second")));
    await expect.poll(async () => String(await call(connection).catch(() => ""))).toBe("second");
    await expect.poll(() => sessions.length).toBe(2);
    answer(held[0]!, framed(Buffer.from("first")));
    expect(String(await first)).toBe("first");
  });

  test("to nobody says so, and the next call tries again", async () => {
    await closed(server);
    const connection = connect();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { code, details } = await errorOf(call(connection));
      expect(code).toBe(status.UNAVAILABLE);
      expect(details).toBe(`connect ECONNREFUSED 127.0.0.1:${port}`);
    }
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    expect(await call(connection)).toEqual(REQUEST);
  });

  test("to a name of several addresses names the last one that refused", async () => {
    await closed(server);
    const { details } = await errorOf(call(connect(`localhost:${port}`)));
    expect(details).toMatch(/^connect ECONNREFUSED .+:\d+$/u);
  });

  test("to a name that does not resolve says so", async () => {
    const { code, details } = await errorOf(call(connect("nobody.invalid:80")));
    expect(code).toBe(status.UNAVAILABLE);
    expect(details).toMatch(/ENOTFOUND|EAI_AGAIN/u);
  });

  test.each<[string, (socket: Socket) => void, RegExp]>([
    ["hangs up", (socket) => socket.destroy(), /^Failed to connect$|ECONNRESET/u],
    ["speaks HTTP/1.1", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), /^Protocol error$/u],
    ["sends calls away", (socket) => socket.end(Buffer.concat([SETTINGS, GOAWAY])), /refused|dropped/u],
  ])("to what %s says so", async (_, greet, expected) => {
    const other = createSocketServer((socket) => {
      socket.on("error", () => {}).resume();
      greet(socket);
    });
    const otherPort = await listen(other);
    const { code, details } = await errorOf(call(connect(`127.0.0.1:${otherPort}`)));
    expect(code).toBe(status.UNAVAILABLE);
    expect(details).toMatch(expected);
    await closed(other);
  });

  test("keeps the process alive while there are calls, and no longer", async () => {
    const held: ServerHttp2Stream[] = [];
    handle = (stream) => held.push(stream);
    const connection = connect();
    for (const number of [1, 2]) {
      const underWay = call(connection);
      await expect.poll(() => held.length).toBe(number);
      await expect.poll(sockets).toBe(2);
      answer(held[number - 1]!, framed(REQUEST));
      await underWay;
      // That of the server is left.
      await expect.poll(sockets).toBe(1);
    }
  });

  test("that is closed makes no calls, and lets those under way end", async () => {
    const held: ServerHttp2Stream[] = [];
    handle = (stream) => held.push(stream);
    const connection = connect();
    const underWay = call(connection);
    await expect.poll(() => held.length).toBe(1);
    connection.close();
    await expect(call(connection)).rejects.toThrow("this one was closed");
    answer(held[0]!, framed(REQUEST));
    expect(await underWay).toEqual(REQUEST);
    await expect.poll(() => sessions[0]!.destroyed).toBe(true);
  });

  test("that leaves pings unanswered is lost, and one that answers them is not", async () => {
    let pings = 0;
    const silent = createSocketServer((socket) => {
      socket.on("error", () => {}).resume();
      socket.write(SETTINGS);
    });
    const silentPort = await listen(silent);
    handle = () => {};
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [deaf, alive] = [connect(`127.0.0.1:${silentPort}`), connect()];
    const lost = errorOf(call(deaf));
    const abort = new AbortController();
    const kept = errorOf(call(alive, { signal: abort.signal }));
    await expect.poll(() => sessions.length).toBe(1);
    sessions[0]!.on("ping", () => (pings += 1));
    vi.advanceTimersByTime(30_000);
    await expect.poll(() => pings).toBe(1);
    vi.advanceTimersByTime(20_000);
    expect(await lost).toMatchObject({ code: status.UNAVAILABLE, details: "The server does not answer pings" });
    expect(alive.calls).toBe(1);
    abort.abort();
    await kept;
    await closed(silent);
  });
});
