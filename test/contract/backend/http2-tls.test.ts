import { once } from "node:events";
import type { Http2SecureServer } from "node:http2";
import { createServer as createSocketServer, type Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Http2TestServer, call, closed, errorOf, listen, rawServer } from "../../support/backend/http2-test-server.js";

let server: Http2TestServer;
/** The server's ends of connections, in order, once TLS is there. */
let secured: TLSSocket[];

beforeEach(async () => {
  server = await Http2TestServer.start("TLS");
  secured = [];
  (server.server as Http2SecureServer).on("secureConnection", (socket) => secured.push(socket));
});

afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

test("a connection that is made again resumes the TLS session of the one before it", async () => {
  const resumed: boolean[] = [];
  (server.server as Http2SecureServer).on("secureConnection", (socket) => resumed.push(socket.isSessionReused()));
  const connection = server.connect();
  await call(connection);
  for (const _ of [1, 2]) {
    server.sessions.at(-1)!.destroy();
    // A call that the client makes before it knows is lost.
    await expect.poll(async () => String(await call(connection).catch(() => "lost"))).toBe("request");
  }
  expect(resumed).toEqual([false, true, true]);
});

test.each([
  ["a name", "localhost", "localhost"],
  ["an address, which is none,", "127.0.0.1", false],
])("the server is told %s", async (_, host, expected) => {
  await call(server.connect(`${host}:${server.port}`));
  expect(secured[0]).toMatchObject({ servername: expected, alpnProtocol: "h2" });
});

test("nothing is sent to a server that agrees on no protocol", async () => {
  const received: Buffer[] = [];
  const ended = Promise.withResolvers<void>();
  const other = await rawServer(
    "TLS",
    (socket) => {
      socket.on("data", (chunk) => received.push(chunk)).on("error", () => {});
      socket.once("close", ended.resolve);
    },
    [],
  );
  const { code, details } = await errorOf(call(server.connect(`127.0.0.1:${await listen(other)}`)));
  expect({ code, details }).toEqual({ code: status.UNAVAILABLE, details: "The server did not agree on HTTP/2" });
  await ended.promise;
  expect(received).toEqual([]);
  await closed(other);
});

test("a server that never ends its handshake is given up after 20 s, and the next call tries again", async () => {
  const sockets: Socket[] = [];
  const silent = createSocketServer((socket) => sockets.push(socket.on("error", () => {}).resume()));
  const port = await listen(silent);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const connection = server.connect(`127.0.0.1:${port}`);
  for (const number of [1, 2]) {
    const error = errorOf(call(connection));
    await expect.poll(() => sockets.length).toBe(number);
    const left = once(sockets.at(-1)!, "close");
    vi.advanceTimersByTime(19_999);
    expect(connection.calls).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await error).toMatchObject({
      code: status.UNAVAILABLE,
      details: "The TLS handshake did not finish within 20 s",
    });
    await left;
  }
  await closed(silent);
});

test("the time limit of a handshake does not apply to later calls", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const connection = server.connect();
  await call(connection);
  server.handle = server.hold;
  const abort = new AbortController();
  const underWay = errorOf(call(connection, { signal: abort.signal }));
  await expect.poll(() => server.held.length).toBe(1);
  vi.advanceTimersByTime(20_000);
  expect(connection.calls).toBe(1);
  abort.abort();
  await underWay;
  expect(secured).toHaveLength(1);
});
