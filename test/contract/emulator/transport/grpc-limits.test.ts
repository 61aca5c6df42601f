import { once } from "node:events";
import { constants, type ClientHttp2Stream } from "node:http2";
import { createServer, type AddressInfo, type Server } from "node:net";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { unaryCall } from "../../../../src/backend/unary-call.js";
import { MACHINE_TIME } from "../../../../src/emulator/clock/machine-time.js";
import { serveGrpc } from "../../../../src/emulator/transport/grpc/connection.js";
import { handlersOf, unary, type Call } from "../../../../src/emulator/service/call.js";
import {
  CALL_BYTES,
  MOST_CALLS,
  MOST_HEADER_BYTES,
  MOST_MESSAGE_BYTES,
} from "../../../../src/emulator/limits/limits.js";
import { MemoryBudget } from "../../../../src/emulator/transport/memory-budget.js";
import { RpcError } from "../../../../src/protocol/rpc-error.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";
import { GrpcTestClient, answerOf, framedText, textsOf } from "../../../support/emulator/grpc-client.js";

const ECHO = "/TestService/Echo";
const WAIT = "/TestService/Wait";
const FAIL = "/TestService/Fail";
const EXHAUSTED = String(status.RESOURCE_EXHAUSTED);

/** What the calls of all connections may hold together: few enough to be filled at once. */
const BUDGET_BYTES = 1_048_576;
const LARGE = "x".repeat(0.6 * BUDGET_BYTES);

let server: Server;
/** Has the same handlers, and a budget of `BUDGET_BYTES`. */
let poorServer: Server;
let client: GrpcTestClient;
let port: number;
/** Calls of `WAIT`, which nobody answers. */
let waiting: Set<Call>;
/** Tells of each change of it. */
let onWaiting: () => void;

beforeEach(async () => {
  waiting = new Set();
  onWaiting = () => {};
  const handlers = handlersOf({
    TestService: {
      Echo: unary((call, answer) => {
        answer(undefined, call.request);
      }),
      Wait: (call) => {
        waiting.add(call);
        call.onCancelled = () => {
          waiting.delete(call);
          onWaiting();
        };
        onWaiting();
      },
      Fail: (call) => {
        throw new RpcError("NOT_FOUND", call.request.toString());
      },
    },
  });
  server = createServer((socket) => {
    serveGrpc(socket, handlers, { clock: MACHINE_TIME });
  });
  const budget = new MemoryBudget(BUDGET_BYTES);
  poorServer = createServer((socket) => {
    serveGrpc(socket, handlers, { clock: MACHINE_TIME, budget });
  });
  poorServer.listen(0, "127.0.0.1");
  await once(poorServer, "listening");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
  client = new GrpcTestClient(port);
});

afterEach(async () => {
  client.close();
  for (const each of [server, poorServer]) {
    each.close();
    await once(each, "close");
  }
});

/** Resolves when so many calls wait. */
async function untilWaiting(calls: number): Promise<void> {
  while (waiting.size !== calls) {
    await new Promise<void>((resolve) => {
      onWaiting = resolve;
    });
  }
}

/** A call that waits, whose request is complete. */
function waitCall(): ClientHttp2Stream {
  const stream = client.request(WAIT);
  stream.end(framedText(""));
  return stream;
}

/** What comes back to a call, as one did before: that the connection carries calls. */
async function echoed(): Promise<string[]> {
  const { body } = await client.call(ECHO, framedText("still there"));
  return textsOf(body);
}

describe("a message", () => {
  test("of the size of the limit is taken", async () => {
    const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
    const grpcJs = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), unlimited);
    const answer = await unaryCall(grpcJs, ECHO, Buffer.alloc(MOST_MESSAGE_BYTES, "x"), new Metadata());
    expect(answer).toHaveLength(MOST_MESSAGE_BYTES);
    grpcJs.close();
  });

  test("that is larger is refused at its beginning with its size and the limit, and the connection lives on", async () => {
    const stream = client.request(ECHO);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(MOST_MESSAGE_BYTES + 1, 1);
    stream.write(prefix);
    const { headers } = await answerOf(stream);
    expect(headers["grpc-status"]).toBe(EXHAUSTED);
    expect(headers["grpc-message"]).toMatch(/67108865 bytes.*67108864/u);
    expect(await echoed()).toEqual(["still there"]);
  });

  test("that is larger fails a call of grpc-js with RESOURCE_EXHAUSTED, whatever it has sent by then", async () => {
    const grpcJs = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_send_message_length": -1,
    });
    const message = Buffer.alloc(MOST_MESSAGE_BYTES + 1);
    await expect(unaryCall(grpcJs, ECHO, message, new Metadata())).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
    });
    const small = await unaryCall(grpcJs, ECHO, Buffer.from("small"), new Metadata());
    expect(small.toString()).toBe("small");
    grpcJs.close();
  });

  test("that never ends holds up no other call of its connection", async () => {
    const streams = Array.from({ length: 100 }, () => {
      const stream = client.request(ECHO);
      stream.write(framedText("x".repeat(1_000)).subarray(0, 500));
      return stream;
    });
    expect(await echoed()).toEqual(["still there"]);
    const answers = streams.map(answerOf);
    for (const stream of streams) stream.end(framedText("x".repeat(1_000)).subarray(500));
    for (const { body } of await Promise.all(answers)) expect(textsOf(body)).toEqual(["x".repeat(1_000)]);
  });
});

describe("the calls of a connection", () => {
  test("are not limited by what its client is told: none waits where nobody sees it", async () => {
    await once(client.session, "remoteSettings");
    expect(client.session.remoteSettings.maxConcurrentStreams ?? Infinity).toBeGreaterThan(MOST_CALLS);
  });

  test("may be ten thousand at once, beside a thousand that wait", async () => {
    const waits = Array.from({ length: 1_000 }, waitCall);
    const answers = await Promise.all(
      Array.from({ length: 10_000 }, (_, n) => client.call(ECHO, framedText(`call ${n}`))),
    );
    answers.forEach(({ body }, n) => {
      expect(textsOf(body)).toEqual([`call ${n}`]);
    });
    await untilWaiting(waits.length);
  });

  test("are refused with the limit where there are more than it, and taken again when one has ended", async () => {
    const waits = Array.from({ length: MOST_CALLS }, waitCall);
    await untilWaiting(MOST_CALLS);
    const refused = await client.call(ECHO);
    expect(refused.headers["grpc-status"]).toBe(EXHAUSTED);
    expect(refused.headers["grpc-message"]).toContain(String(MOST_CALLS));
    const ended = answerOf(waits[0]!);
    [...waiting][0]!.end(Buffer.alloc(0));
    await ended;
    expect(await echoed()).toEqual(["still there"]);
    // A connection of its own has a limit of its own.
    const other = new GrpcTestClient(port);
    expect((await other.call(ECHO)).headers["grpc-status"]).toBe("0");
    other.close();
  }, 60_000);

  test("may all be cancelled at once, and the connection lives on", async () => {
    const waits = Array.from({ length: 5_000 }, waitCall);
    await untilWaiting(waits.length);
    for (const stream of waits) stream.close(constants.NGHTTP2_CANCEL);
    await untilWaiting(0);
    expect(await echoed()).toEqual(["still there"]);
  });
});

describe("headers", () => {
  test("that are too large are refused with what gRPC takes for RESOURCE_EXHAUSTED, and the connection lives on", async () => {
    // The limit holds once the client has heard of it.
    expect(await echoed()).toEqual(["still there"]);
    const stream = client.request(ECHO, { "x-large": "x".repeat(MOST_HEADER_BYTES) });
    stream.end(framedText(""));
    await answerOf(stream);
    expect(stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await echoed()).toEqual(["still there"]);
  });

  test("that are too many are refused so too", async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x-${n}`, "1"]));
    const stream = client.request(ECHO, many);
    stream.end(framedText(""));
    await answerOf(stream);
    expect(stream.rstCode).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    expect(await echoed()).toEqual(["still there"]);
  });

  test("of an answer are short enough for clients, however long its message is", async () => {
    const { headers } = await client.call(FAIL, framedText("ä".repeat(1_000_000)));
    expect(headers["grpc-status"]).toBe(String(status.NOT_FOUND));
    expect(decodeURIComponent(String(headers["grpc-message"]))).toMatch(/^ä{5000}\.\.\.$/u);
    expect(await echoed()).toEqual(["still there"]);
  });
});

test("a request that makes no progress for a minute is refused, and one that does is not", async () => {
  const time = new VirtualTime();
  const slowServer = createServer((socket) => {
    serveGrpc(socket, handlersOf({ TestService: { Echo: unary((call, answer) => answer(undefined, call.request)) } }), {
      clock: time,
    });
  }).listen(0, "127.0.0.1");
  await once(slowServer, "listening");
  const slow = new GrpcTestClient((slowServer.address() as AddressInfo).port);
  const request = framedText("message");
  const [stalled, dripping] = [slow.request(ECHO), slow.request(ECHO)];
  const answers = [answerOf(stalled), answerOf(dripping)];
  stalled.write(request.subarray(0, 6));
  for (let at = 0; at < request.length; at += 1) {
    await new Promise((resolve) => dripping.write(request.subarray(at, at + 1), resolve));
    // It comes behind all that was sent before, and behind the answer to a ping.
    expect((await slow.call(ECHO)).headers["grpc-status"]).toBe("0");
    time.advance(10_000);
  }
  dripping.end();
  const [ended, whole] = await Promise.all(answers);
  expect(ended!.headers["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
  expect(textsOf(whole!.body)).toEqual(["message"]);
  slow.close();
  slowServer.close();
  await once(slowServer, "close");
});

describe("what all connections hold together is limited", () => {
  let some: GrpcTestClient;
  let others: GrpcTestClient;

  beforeEach(() => {
    const { port: poorPort } = poorServer.address() as AddressInfo;
    some = new GrpcTestClient(poorPort);
    others = new GrpcTestClient(poorPort);
  });

  afterEach(() => {
    some.close();
    others.close();
  });

  async function statusOfOthers(text: string): Promise<unknown> {
    return (await others.call(ECHO, framedText(text))).headers["grpc-status"];
  }

  test("and requests that are not complete are part of it", async () => {
    const stream = some.request(ECHO);
    await new Promise((resolve) => stream.write(framedText(LARGE).subarray(0, -1), resolve));
    await expect.poll(() => statusOfOthers(LARGE)).toBe(EXHAUSTED);
    expect(await statusOfOthers("small")).toBe("0");
    const answered = answerOf(stream);
    stream.end("x");
    expect((await answered).headers["grpc-status"]).toBe("0");
    expect(await statusOfOthers(LARGE)).toBe("0");
  });

  test("and requests that are not answered", async () => {
    some.request(WAIT).end(framedText(LARGE));
    await untilWaiting(1);
    expect(await statusOfOthers(LARGE)).toBe(EXHAUSTED);
    [...waiting][0]!.end();
    await expect.poll(() => statusOfOthers(LARGE)).toBe("0");
  });

  test("and answers that are not read", async () => {
    some.session.settings({ initialWindowSize: 0 });
    await once(some.session, "localSettings");
    const stream = some.request(ECHO);
    stream.end(framedText(LARGE));
    await once(stream, "response");
    expect(await statusOfOthers(LARGE)).toBe(EXHAUSTED);
    // Of a call that is gone nothing is left.
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => statusOfOthers(LARGE)).toBe("0");
  });

  test("and calls, whatever became of them", async () => {
    const calls = BUDGET_BYTES / CALL_BYTES;
    // They have headers, and nothing that would end them.
    for (let n = 0; n < calls; n += 1) some.request(WAIT);
    await expect.poll(() => statusOfOthers("")).toBe(EXHAUSTED);
    expect(await some.call(ECHO)).toMatchObject({ headers: { "grpc-status": EXHAUSTED } });
    some.close();
    await expect.poll(() => statusOfOthers("")).toBe("0");
  });
});
