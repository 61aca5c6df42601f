import { once } from "node:events";
import { constants } from "node:http2";
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SERVER_NAME } from "../../../../src/protocol/server-name.js";
import { unaryCall } from "../../../../src/backend/unary-call.js";
import { MACHINE_TIME } from "../../../../src/emulator/clock/machine-time.js";
import { serveGrpc } from "../../../../src/emulator/transport/grpc/connection.js";
import { handlersOf, unary, type Call, type Handler } from "../../../../src/emulator/service/call.js";
import { RpcError } from "../../../../src/protocol/rpc-error.js";
import { toldText } from "../../../../src/format/one-line.js";
import { GrpcTestClient, answerOf, framedText, textsOf } from "../../../support/emulator/grpc-client.js";

const CALL = "/TestService/Call";
const CLIENT_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** A SETTINGS frame without settings. */
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const GOAWAY = Buffer.from([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
/** A DATA frame, the last of stream 1. */
const EMPTY_MESSAGE = Buffer.from([0, 0, 5, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
const PING_FRAME = 6;
const PING = Buffer.from([0, 0, 8, PING_FRAME, 0, 0, 0, 0, 0, ...Buffer.from("answer!?")]);
const MOST_BYTES = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

const asIs = (bytes: Buffer): Buffer => bytes;
const echo: Handler = unary((call, answer) => answer(undefined, call.request));

let server: Server;
let accepted: Socket[];
let clients: { close(): void }[];
let port: number;
/** What the server does with a call. */
let handle: Handler;
/** Whether somebody looks at the first bytes of a connection, and puts them back, before it is served. */
let looksFirst: boolean;

beforeEach(async () => {
  accepted = [];
  clients = [];
  handle = echo;
  looksFirst = false;
  const handlers = handlersOf({ TestService: { Call: (call) => handle(call) } });
  server = createServer((socket) => {
    accepted.push(socket);
    if (!looksFirst) {
      serveGrpc(socket, handlers, { clock: MACHINE_TIME });
    } else {
      socket.once("readable", () => {
        socket.unshift(socket.read() as Buffer);
        serveGrpc(socket, handlers, { clock: MACHINE_TIME });
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  vi.useRealTimers();
  for (const client of clients) client.close();
  for (const socket of accepted) socket.destroy();
  server.close();
  await once(server, "close");
});

function connect(): GrpcTestClient {
  const client = new GrpcTestClient(port);
  clients.push(client);
  return client;
}

function connectGrpcJs(): Client {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), MOST_BYTES);
  clients.push(client);
  return client;
}

async function connectSocket(...bytes: readonly (string | Buffer)[]): Promise<Socket> {
  const socket = createConnection(port, "127.0.0.1");
  socket.on("error", () => {});
  clients.push({ close: () => socket.destroy() });
  await once(socket, "connect");
  for (const part of bytes) socket.write(part);
  return socket;
}

/** Resolves with the next call that is not answered, and keeps it open. */
function nextCall(): Promise<Call> {
  return new Promise((resolve) => {
    handle = (call) => resolve(call);
  });
}

function cancelled(call: Call): Promise<void> {
  return new Promise((resolve) => {
    call.onCancelled = resolve;
  });
}

function literal(text: string): Buffer {
  return Buffer.from([text.length, ...Buffer.from(text)]);
}

/** The HEADERS frame of a call on stream 1, none of its headers compressed, and no more to come. */
function headersFrame(path: string): Buffer {
  const headers = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["content-type", "application/grpc"],
  ];
  const block = Buffer.concat(headers.flatMap((texts) => [Buffer.alloc(1), ...texts.map(literal)]));
  return Buffer.concat([Buffer.from([0, 0, block.length, 1, 5, 0, 0, 0, 1]), block]);
}

describe("a unary call", () => {
  test.each([0, 1, 300, 5 * 1_048_576])("of grpc-js has its message of %d bytes sent back", async (bytes) => {
    const message = Buffer.alloc(bytes, "fanout");
    const answer = await unaryCall(connectGrpcJs(), CALL, message, new Metadata());
    expect(answer.equals(message)).toBe(true);
  });

  test("shares its connection with others", async () => {
    const client = connectGrpcJs();
    const texts = Array.from({ length: 300 }, (_, number) => String(number));
    const answers = await Promise.all(texts.map((text) => unaryCall(client, CALL, Buffer.from(text), new Metadata())));
    expect(answers.map(String)).toEqual(texts);
    expect(accepted).toHaveLength(1);
  });

  test("has one header block, one message and one status", async () => {
    const { headers, body, frames } = await connect().call(CALL, framedText("text"));
    expect(headers).toMatchObject({
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-accept-encoding": "identity",
      server: SERVER_NAME,
      "grpc-status": "0",
    });
    expect(headers).not.toHaveProperty("grpc-message");
    expect([textsOf(body), frames]).toEqual([["text"], 1]);
  });

  test("knows its metadata by name", async () => {
    handle = unary((call, answer) =>
      answer(undefined, Buffer.from(JSON.stringify([call.header("taskhub"), call.header("workerid") ?? "none"]))),
    );
    const { body } = await connect().call(CALL, framedText(""), { taskhub: "hub-1" });
    expect(textsOf(body)).toEqual(['["hub-1","none"]']);
  });

  test("is read however its bytes are cut", async () => {
    const client = connect();
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 40 }), fc.array(fc.nat(50), { maxLength: 6 }), async (text, cuts) => {
        const body = framedText(text);
        const stream = client.request(CALL);
        const answer = answerOf(stream);
        let from = 0;
        for (const cut of [...cuts.filter((cut) => cut < body.length).sort((a, b) => a - b), body.length]) {
          // One DATA frame each, as the next is written when this one has left.
          await new Promise((resolve) => stream.write(body.subarray(from, cut), resolve));
          from = cut;
        }
        stream.end();
        expect(textsOf((await answer).body)).toEqual([text]);
      }),
      { numRuns: 30 },
    );
  });

  test.each([
    ["an RpcError", new RpcError("NOT_FOUND", "There is no 'x'."), status.NOT_FOUND, "There is no 'x'."],
    ["another error", new Error("broken"), status.INTERNAL, "broken"],
    [
      "an error of many signs",
      new RpcError("INTERNAL", "100 %\n\u{1F600} ü ~"),
      status.INTERNAL,
      "100 %\n\u{1F600} ü ~",
    ],
    ["an error of half a sign", new RpcError("INTERNAL", "\ud83d!"), status.INTERNAL, "\ufffd!"],
    ["an error of 30,000 signs", new RpcError("INTERNAL", "x".repeat(30_000)), status.INTERNAL, "x".repeat(30_000)],
  ])("that fails with %s tells it", async (_, error, code, details) => {
    // The client shows a person one line, and not all of a long one.
    const told = toldText(details);
    const failed = unaryCall(connectGrpcJs(), CALL, Buffer.alloc(0), new Metadata());
    handle = unary((_call, answer) => answer(error, undefined));
    await expect(failed).rejects.toMatchObject({ code, details: told });
    handle = () => {
      throw error;
    };
    const thrown = unaryCall(connectGrpcJs(), CALL, Buffer.alloc(0), new Metadata());
    await expect(thrown).rejects.toMatchObject({ code, details: told });
  });

  test("that failed has no body, and its status among its headers", async () => {
    handle = unary((_call, answer) => answer(new RpcError("UNAVAILABLE", "away"), undefined));
    const stream = connect().request(CALL);
    stream.end(framedText(""));
    const [headers, flags] = (await once(stream, "response")) as [object, number];
    expect(headers).toMatchObject({ ":status": 200, "grpc-status": "14", "grpc-message": "away" });
    expect(flags & constants.NGHTTP2_FLAG_END_STREAM).not.toBe(0);
  });
});

describe("what is no call", () => {
  test.each(["/TestService/Other", "/Other/Call", "/"])("of %s is UNIMPLEMENTED, by its name", async (path) => {
    const failed = unaryCall(connectGrpcJs(), path, Buffer.alloc(0), new Metadata());
    const details = `The server does not implement the method ${path}`;
    await expect(failed).rejects.toMatchObject({ code: status.UNIMPLEMENTED, details });
  });

  test.each([
    [{ "content-type": "application/json" }, 415],
    [{ "content-type": "application/grpcish" }, 415],
    [{ "content-type": "application/grpc+proto" }, 200],
    [{ ":method": "GET" }, 405],
  ])("or has %j is answered with HTTP status %d", async (headers, expected) => {
    const answer = await connect().call(CALL, framedText(""), headers);
    expect(answer.headers[":status"]).toBe(expected);
  });

  test.each([
    ["no body", Buffer.alloc(0), {}, "12", "Received no request message"],
    ["half a prefix", Buffer.alloc(3), {}, "13", "The request message ended before its length"],
    ["half a message", framedText("text").subarray(0, 7), {}, "13", "The request message ended before its length"],
    ["two messages", Buffer.concat([framedText("a"), framedText("b")]), {}, "12", "Received a second request message"],
    ["a compressed message", framedText("a", true), {}, "13", "compression is not named"],
    ["a message of gzip", framedText("a", true), { "grpc-encoding": "gzip" }, "12", 'unsupported encoding "gzip"'],
    ["no timeout", framedText(""), { "grpc-timeout": "soon" }, "13", 'Invalid grpc-timeout value "soon"'],
    ["too long a timeout", framedText(""), { "grpc-timeout": "123456789S" }, "13", "Invalid grpc-timeout value"],
  ])("but has %s fails, and not its handler", async (_, body, headers, code, message) => {
    handle = vi.fn<Handler>(echo);
    const answer = await connect().call(CALL, body, headers);
    expect(answer.headers["grpc-status"]).toBe(code);
    expect(decodeURIComponent(String(answer.headers["grpc-message"]))).toContain(message);
    expect(handle).not.toHaveBeenCalled();
  });

  test("and has a header block alone has no message", async () => {
    const answer = await answerOf(connect().request(CALL, {}, true));
    expect(answer.headers["grpc-status"]).toBe("12");
  });

  test("is told so before its client has sent all, and is closed", async () => {
    const client = connect();
    const stream = client.request(CALL);
    stream.write(framedText("a", true));
    expect((await answerOf(stream)).headers["grpc-status"]).toBe("13");
    expect((await client.call(CALL)).headers["grpc-status"]).toBe("0");
  });
});

describe("a call with a deadline", () => {
  test("that has passed is cancelled once, and told so", async () => {
    const onCancelled = vi.fn<() => void>();
    const opened = nextCall();
    const answer = connect().call(CALL, framedText(""), { "grpc-timeout": "50m" });
    const call = await opened;
    call.onCancelled = onCancelled;
    expect((await answer).headers).toMatchObject({ "grpc-status": "4", "grpc-message": "Deadline exceeded" });
    expect(call.isCancelled).toBe(true);
    call.end(Buffer.from("late"));
    expect(call.write(Buffer.from("late"))).toBe(false);
    expect(onCancelled).toHaveBeenCalledOnce();
  });

  test("that has passed has the status behind what was written", async () => {
    handle = (call) => call.write(Buffer.from("text"));
    const { headers, body } = await connect().call(CALL, framedText(""), { "grpc-timeout": "20000u" });
    expect([headers["grpc-status"], textsOf(body)]).toEqual(["4", ["text"]]);
  });

  test("is cancelled too while its request is on its way", async () => {
    const stream = connect().request(CALL, { "grpc-timeout": "1n" });
    stream.write(framedText("text").subarray(0, 7));
    expect((await answerOf(stream)).headers["grpc-status"]).toBe("4");
  });

  test.each(["1H", "99999999H", "30S"])("of %s is answered before", async (timeout) => {
    const answer = await connect().call(CALL, framedText("text"), { "grpc-timeout": timeout });
    expect(answer.headers["grpc-status"]).toBe("0");
  });
});

describe("a call that its client cancels", () => {
  test.each([
    ["CANCEL", constants.NGHTTP2_CANCEL],
    ["NO_ERROR", constants.NGHTTP2_NO_ERROR],
    ["INTERNAL_ERROR", constants.NGHTTP2_INTERNAL_ERROR],
    ["ENHANCE_YOUR_CALM", constants.NGHTTP2_ENHANCE_YOUR_CALM],
  ])("with %s hears of it once, and writes nothing after it", async (_, code) => {
    const onCancelled = vi.fn<() => void>();
    const opened = nextCall();
    const client = connect();
    const stream = client.request(CALL);
    stream.end(framedText(""));
    const call = await opened;
    const told = cancelled(call).then(onCancelled);
    stream.close(code);
    await told;
    expect(call.isCancelled).toBe(true);
    call.open();
    expect(call.write(Buffer.from("late"))).toBe(false);
    call.fail(new RpcError("INTERNAL", "late"));
    call.end();
    handle = echo;
    expect((await client.call(CALL)).headers["grpc-status"]).toBe("0");
    expect(onCancelled).toHaveBeenCalledOnce();
  });

  test("hears of it when the connection breaks, and so do all others of it", async () => {
    const client = connect();
    const calls: Call[] = [];
    const all = Promise.withResolvers<void>();
    handle = (call) => {
      if (calls.push(call) === 3) all.resolve();
    };
    for (let count = 0; count < 3; count += 1) client.request(CALL).end(framedText(""));
    await all.promise;
    const told = calls.map(cancelled);
    client.socket.destroy();
    await Promise.all(told);
    expect(calls.map(({ isCancelled }) => isCancelled)).toEqual([true, true, true]);
  });

  test("may be ended as its connection closes", async () => {
    const opened = nextCall();
    connect().request(CALL).end(framedText(""));
    const call = await opened;
    const told = cancelled(call);
    accepted[0]!.once("close", () => {
      expect(call.write(Buffer.from("late"))).toBe(false);
      call.end();
    });
    accepted[0]!.destroy();
    await told;
    expect(call.isCancelled).toBe(true);
  });

  test.each(["/TestService/Call", "/TestService/Other"])("at once, of %s, is not answered", async (path) => {
    looksFirst = true;
    handle = vi.fn<Handler>(echo);
    const reset = Buffer.from([0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 8]);
    const socket = await connectSocket(
      Buffer.concat([Buffer.from(CLIENT_PREFACE), SETTINGS, headersFrame(path), reset, PING]),
    );
    let bytes: Buffer;
    do [bytes] = (await once(socket, "data")) as [Buffer];
    while (!bytes.includes(PING.subarray(-8)));
    expect(handle).not.toHaveBeenCalled();
    expect((await connect().call(CALL)).headers["grpc-status"]).toBe("0");
  });

  test("hears nothing if it was answered before", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const onCancelled = vi.fn<() => void>();
    handle = (call) => {
      call.onCancelled = onCancelled;
      call.end(call.request);
    };
    const client = connect();
    await client.call(CALL, framedText(""), { "grpc-timeout": "1S" });
    vi.advanceTimersByTime(2_000);
    client.close();
    await once(accepted[0]!, "close");
    expect(onCancelled).not.toHaveBeenCalled();
  });

  test("is not handled if it is cancelled before all of it has come", async () => {
    handle = vi.fn<Handler>(echo);
    const client = connect();
    const stream = client.request(CALL);
    stream.write(framedText("text").subarray(0, 7), () => stream.close(constants.NGHTTP2_CANCEL));
    await once(stream, "close");
    await new Promise((resolve) => client.session.ping(resolve));
    expect(handle).not.toHaveBeenCalled();
  });
});

describe("a stream", () => {
  test("tells that it is open before it has a message", async () => {
    const opened = nextCall();
    const stream = connect().request(CALL);
    stream.end(framedText(""));
    (await opened).open();
    const [headers] = (await once(stream, "response")) as [object];
    expect(headers).toMatchObject({ ":status": 200, "content-type": "application/grpc" });
  });

  test("sends the messages of one turn as one", async () => {
    handle = (call) => {
      for (const text of ["a", "b", "", "c"]) call.write(Buffer.from(text));
      setImmediate(() => call.end(Buffer.from("d")));
    };
    const { headers, body, frames } = await connect().call(CALL);
    expect([headers["grpc-status"], textsOf(body), frames]).toEqual(["0", ["a", "b", "", "c", "d"], 2]);
  });

  test("ends behind what was written", async () => {
    handle = (call) => {
      call.write(Buffer.from("a"));
      call.end();
    };
    const { headers, body } = await connect().call(CALL);
    expect([headers["grpc-status"], textsOf(body)]).toEqual(["0", ["a"]]);
  });

  test.each(["in one turn", "in two"])("fails behind what was written, %s", async (turns) => {
    handle = (call) => {
      call.write(Buffer.from("a"));
      const fail = (): void => call.fail(new RpcError("NOT_FOUND", "gone"));
      if (turns === "in two") setImmediate(fail);
      else fail();
    };
    const { headers, body } = await connect().call(CALL);
    expect(headers).toMatchObject({ "grpc-status": "5", "grpc-message": "gone" });
    expect(textsOf(body)).toEqual(["a"]);
  });

  test("of large messages comes to grpc-js whole", async () => {
    const message = Buffer.alloc(4 * 1_048_576, "fanout");
    handle = (call) => {
      for (let count = 0; count < 3; count += 1) call.write(message);
      call.end();
    };
    const received: Buffer[] = [];
    for await (const chunk of connectGrpcJs().makeServerStreamRequest(CALL, asIs, asIs, Buffer.alloc(0)))
      received.push(chunk as Buffer);

    expect(received.map((chunk) => chunk.equals(message))).toEqual([true, true, true]);
  });

  test("wants no more of who does not read, and goes on when it does", async () => {
    const opened = nextCall();
    const stream = connect().request(CALL);
    stream.end(framedText(""));
    const call = await opened;
    const message = Buffer.alloc(1_000, "x");
    let written = 1;
    // It may not be read, and so not acknowledged, before anybody listens to it.
    while (call.write(message)) {
      written += 1;
      await new Promise(setImmediate);
    }
    expect(call.bytesWaiting).toBeGreaterThan(0);
    expect(written * 1_005).toBeLessThan(1_048_576);
    const drained = new Promise<void>((resolve) => {
      call.onDrain = resolve;
    });
    const answer = answerOf(stream);
    await drained;
    expect(call.bytesWaiting).toBe(0);
    expect(call.write(message)).toBe(true);
    call.end();
    expect(textsOf((await answer).body)).toEqual(Array.from({ length: written + 1 }, () => String(message)));
  });

  test("drains once after a turn that wrote too much for one who reads", async () => {
    const opened = nextCall();
    const answer = connect().call(CALL);
    const call = await opened;
    const message = Buffer.alloc(200_000, "x");
    for (let count = 0; count < 5; count += 1) {
      const drained = new Promise<void>((resolve) => {
        call.onDrain = resolve;
      });
      expect(call.write(message)).toBe(false);
      await drained;
    }
    call.end();
    expect((await answer).body.length).toBe(5 * 200_005);
  });
});

describe("a connection", () => {
  test("is served from its first byte where somebody has looked at it before", async () => {
    looksFirst = true;
    expect(textsOf((await connect().call(CALL, framedText("text"))).body)).toEqual(["text"]);
  });

  test("leaves no timer behind", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const client = connect();
    const opened = nextCall();
    client.request(CALL, { "grpc-timeout": "1H" }).end(framedText(""));
    const call = await opened;
    expect(vi.getTimerCount()).toBe(3);
    const told = cancelled(call);
    client.close();
    await Promise.all([told, once(accepted[0]!, "close")]);
    await new Promise(setImmediate);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is closed when it leaves a ping unanswered for 20 s, and not before", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const socket = await connectSocket(CLIENT_PREFACE, SETTINGS);
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(first.readUInt8(3)).toBe(SETTINGS[3]);
    vi.advanceTimersByTime(10_000);
    let bytes: Buffer;
    do [bytes] = (await once(socket, "data")) as [Buffer];
    while (bytes.readUInt8(3) !== PING_FRAME);
    vi.advanceTimersByTime(19_999);
    await new Promise(setImmediate);
    expect(accepted[0]!.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    await once(accepted[0]!, "close");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("whose client answers pings is asked again", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const client = connect();
    await client.call(CALL);
    for (let count = 0; count < 3; count += 1) {
      const pinged = once(client.session, "ping");
      vi.advanceTimersByTime(10_000);
      await pinged;
      // What comes after a ping of the client has the answer to the server's in front of it.
      await new Promise((resolve) => client.session.ping(resolve));
    }
    vi.advanceTimersByTime(9_999);
    expect((await client.call(CALL)).headers["grpc-status"]).toBe("0");
  });

  test("that says GOAWAY carries its calls on, as long as its client is there", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const client = connect();
    const opened = nextCall();
    const stream = client.request(CALL);
    stream.end(framedText(""));
    const answered = answerOf(stream);
    const call = await opened;
    client.session.close();
    for (let count = 0; count < 6; count += 1) {
      // What comes after it has what the server asks for in front of it.
      await new Promise<void>((resolve) => client.session.settings({}, () => resolve()));
      vi.advanceTimersByTime(10_000);
    }
    await new Promise<void>((resolve) => client.session.settings({}, () => resolve()));
    call.end(Buffer.from("late"));
    expect(textsOf((await answered).body)).toEqual(["late"]);
  });

  test("that says GOAWAY and is silent from then on is closed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const opened = nextCall();
    const headers = headersFrame(CALL);
    // Its message follows.
    headers[4] = 4;
    await connectSocket(CLIENT_PREFACE, SETTINGS, headers, GOAWAY, EMPTY_MESSAGE);
    const call = await opened;
    const told = cancelled(call);
    vi.advanceTimersByTime(29_999);
    await new Promise(setImmediate);
    expect(call.isCancelled).toBe(false);
    vi.advanceTimersByTime(1);
    await told;
  });

  describe.each([false, true])("where somebody looks first: %s,", (looks) => {
    test.each([
      ["HTTP/1.1", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
      ["garbage", Buffer.alloc(100_000, 0xff)],
      ["a frame that is none", Buffer.concat([Buffer.from(CLIENT_PREFACE), Buffer.alloc(100_000, 0xff)])],
      ["half a preface, and the end", "PRI * HT"],
    ])("that sends %s is closed, and others are not", async (_, bytes) => {
      looksFirst = looks;
      const client = connect();
      const socket = await connectSocket(bytes);
      socket.resume().end();
      await once(socket, "close");
      expect((await client.call(CALL)).headers["grpc-status"]).toBe("0");
    });
  });

  test("that is reset ends without a word", async () => {
    const client = connect();
    const opened = nextCall();
    client.request(CALL).end(framedText(""));
    const told = cancelled(await opened);
    client.socket.resetAndDestroy();
    await told;
    handle = echo;
    expect((await connect().call(CALL)).headers["grpc-status"]).toBe("0");
  });
});
