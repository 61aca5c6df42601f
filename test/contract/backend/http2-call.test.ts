import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { constants } from "node:http2";
import { createServer as createSocketServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Metadata, status } from "@grpc/grpc-js";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { framed } from "../../../src/protocol/grpc-frame.js";
import {
  Http2TestServer,
  WIRES,
  PATH,
  REQUEST,
  answer,
  call,
  closed,
  errorOf,
  listen,
} from "../../support/backend/http2-test-server.js";

let server: Http2TestServer;

describe.each(WIRES)("over %s", (wire) => {
  beforeEach(async () => {
    server = await Http2TestServer.start(wire);
  });

  afterEach(async () => {
    vi.useRealTimers();
    await server.close();
  });

  describe("a call", () => {
    test("sends the headers of gRPC and its metadata", async () => {
      let headers: NodeJS.Dict<string | string[]> = {};
      const body: Buffer[] = [];
      server.handle = (stream, received) => {
        headers = received;
        stream.on("data", (chunk: Buffer) => body.push(chunk));
        stream.on("end", () => answer(stream, framed(Buffer.from("answer"))));
      };
      const metadata = new Metadata();
      metadata.set("taskhub", "hub-1");
      metadata.set("token-bin", Buffer.from([0, 255]));
      const answered = await server.connect().call(PATH, REQUEST, metadata, { timeoutMs: 1_500 });
      expect(answered.toString()).toBe("answer");
      expect(headers).toMatchObject({
        ":method": "POST",
        ":scheme": wire === "TLS" ? "https" : "http",
        ":path": PATH,
        ":authority": `127.0.0.1:${server.port}`,
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
      server.handle = (_, headers) => received.resolve(headers["grpc-timeout"]);
      const abort = new AbortController();
      const failed = call(server.connect(), { timeoutMs, signal: abort.signal }).catch(() => {});
      expect(await received.promise).toBe(expected);
      abort.abort();
      await failed;
    });

    test("reads an answer in chunks of any size", async () => {
      const connection = server.connect();
      const property = fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.array(fc.nat({ max: 305 }), { maxLength: 8 }),
        async (message, cuts) => {
          const frame = framed(message);
          const places = [0, ...cuts.filter((cut) => cut < frame.length).sort((a, b) => a - b), frame.length];
          const chunks = places.slice(1).map((end, index) => frame.subarray(places[index], end));
          server.handle = (stream) => answer(stream, chunks);
          expect(new Uint8Array(await call(connection))).toEqual(message);
        },
      );
      await fc.assert(property, { numRuns: 50 });
    });

    test("carries megabytes both ways", async () => {
      const large = Buffer.alloc(5_000_000, "x");
      server.handle = (stream) => {
        const body: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => body.push(chunk));
        stream.on("end", () => answer(stream, Buffer.concat(body)));
      };
      expect((await call(server.connect(), {}, large)).equals(large)).toBe(true);
    });
  });

  describe("an abort", () => {
    test("before the call prevents it", async () => {
      const { code, details } = await errorOf(call(server.connect(), { signal: AbortSignal.abort() }));
      expect(code).toBe(status.CANCELLED);
      expect(details).toBe("Cancelled on client");
      expect(server.sessions).toEqual([]);
    });

    test("during a call tells the server", async () => {
      const abort = new AbortController();
      const reset = Promise.withResolvers<number>();
      server.handle = (stream) => {
        stream.once("close", () => reset.resolve(stream.rstCode));
        abort.abort();
      };
      expect((await errorOf(call(server.connect(), { signal: abort.signal }))).code).toBe(status.CANCELLED);
      expect(await reset.promise).toBe(constants.NGHTTP2_CANCEL);
    });

    test("of a call that waits for its connection does not wait", async () => {
      const silent = createSocketServer();
      const abort = new AbortController();
      const connection = server.connect(`127.0.0.1:${await listen(silent)}`);
      const error = errorOf(call(connection, { signal: abort.signal }));
      abort.abort();
      expect((await error).code).toBe(status.CANCELLED);
      connection.close();
      await closed(silent);
    });

    test("after the call changes nothing", async () => {
      const abort = new AbortController();
      const answered = await call(server.connect(), { signal: abort.signal });
      abort.abort();
      expect(answered).toEqual(REQUEST);
    });
  });

  describe("a deadline", () => {
    test("ends each call at its own time, and tells the server", async () => {
      const resets: number[] = [];
      const arrived = Promise.withResolvers<void>();
      let calls = 0;
      server.handle = (stream) => {
        stream.once("close", () => resets.push(stream.rstCode));
        calls += 1;
        if (calls === 3) arrived.resolve();
      };
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
      const connection = server.connect();
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
});

test("a call without TLS reaches a Unix socket", async () => {
  const server = await Http2TestServer.start();
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-"));
  const socket = path.join(folder, "socket");
  await closed(server.server);
  server.server.listen(socket);
  await once(server.server, "listening");
  let authority: unknown;
  server.handle = (stream, headers) => {
    authority = headers[":authority"];
    answer(stream, framed(REQUEST));
  };
  expect(await call(server.connect(`unix:${socket}`))).toEqual(REQUEST);
  expect(authority).toBe("localhost");
  await server.close();
  rmSync(folder, { recursive: true });
});
