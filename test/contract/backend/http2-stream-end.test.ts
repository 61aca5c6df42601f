import { constants, type ServerHttp2Stream } from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { framed } from "../../../src/protocol/grpc-frame.js";
import {
  Http2TestServer,
  OK,
  REQUEST,
  WIRES,
  answer,
  answerAtOnce,
  call,
  endWith,
  framedTexts,
  openStream,
} from "../../support/backend/http2-test-server.js";

let server: Http2TestServer;

describe.each(WIRES)("over %s", (wire) => {
  beforeEach(async () => {
    server = await Http2TestServer.start(wire);
  });

  afterEach(async () => {
    await server.close();
  });

  describe("a stream that the server refuses", () => {
    test.each<[string, (stream: ServerHttp2Stream) => void, status]>([
      ["with an error at once", (stream) => answerAtOnce(stream, { "grpc-status": "16" }), status.UNAUTHENTICATED],
      ["with a page", (stream) => answerPage(stream), status.UNAVAILABLE],
      ["with a reset", (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM), status.UNAVAILABLE],
      ["by hanging up", (stream) => stream.session?.destroy(), status.UNAVAILABLE],
    ])("%s is never open", async (_, refuse, code) => {
      server.handle = refuse;
      const { received } = openStream(server.connect());
      await received.ended.promise;
      expect(received.told).toEqual([`end: ${status[code]}`]);
    });

    test("that cannot be reached is never open", async () => {
      const connection = server.connect("127.0.0.1:1");
      const { received } = openStream(connection);
      await received.ended.promise;
      expect(received.told).toEqual(["end: UNAVAILABLE"]);
    });
  });

  describe("a stream that has been open", () => {
    const half = framed(Buffer.from("never whole")).subarray(0, 9);
    test.each<[string, (stream: ServerHttp2Stream) => void, status, RegExp]>([
      [
        "with the error of its trailers",
        (stream) => endWith(stream, { "grpc-status": "8", "grpc-message": "too%20much" }),
        status.RESOURCE_EXHAUSTED,
        /^too much$/u,
      ],
      ["by a reset", (stream) => stream.close(constants.NGHTTP2_CANCEL), status.CANCELLED, /by server/u],
      ["by a reset in the middle of a message", cutBy(reset), status.INTERNAL, /RST_STREAM/u],
      [
        "by the loss of the connection in the middle of a message",
        cutBy(hangUp),
        status.UNAVAILABLE,
        /dropped|ECONNRESET/u,
      ],
      [
        "by an end in the middle of a message",
        cutBy((stream) => endWith(stream, OK)),
        status.INTERNAL,
        /before its length/u,
      ],
      ["by an end without trailers", (stream) => stream.end(), status.INTERNAL, /without a gRPC status|RST_STREAM/u],
      [
        "by a message that is compressed",
        (stream) => stream.write(Buffer.from([1, 0, 0, 0, 1, 65])),
        status.INTERNAL,
        /compressed/u,
      ],
      [
        "by a GOAWAY that says why",
        (stream) => stream.session?.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM),
        status.UNAVAILABLE,
        /./u,
      ],
    ])("ends %s, after the received messages", async (_, end, code, details) => {
      server.handle = server.hold;
      const connection = server.connect();
      const { received } = openStream(connection);
      await expect.poll(() => server.held.length).toBe(1);
      server.held[0]!.write(framedTexts("one", "two"));
      await expect.poll(() => received.told).toEqual(["open", "one", "two"]);
      end(server.held[0]!);
      const error = await received.ended.promise;
      expect(received.told).toEqual(["open", "one", "two", `end: ${status[code]}`]);
      expect(error?.details).toMatch(details);
      server.handle = (stream) => answer(stream, framedTexts("again"));
      const next = openStream(connection);
      await next.received.ended.promise;
      expect(next.received.told).toEqual(["open", "again", "end"]);
    });

    test("delivers messages that arrived together with its error", async () => {
      server.handle = (stream) =>
        answer(stream, framedTexts("one", "two"), { "grpc-status": "14", "grpc-message": "going" });
      const { received } = openStream(server.connect());
      expect((await received.ended.promise)?.details).toBe("going");
      expect(received.told).toEqual(["open", "one", "two", "end: UNAVAILABLE"]);
    });

    test("continues after a GOAWAY, beside a new connection for later calls", async () => {
      server.handle = server.hold;
      const connection = server.connect();
      const { received } = openStream(connection);
      await expect.poll(() => server.held.length).toBe(1);
      server.sessions[0]!.close();
      server.handle = (stream) => answer(stream, framed(REQUEST));
      await expect.poll(async () => (await call(connection).catch(() => "")).toString()).toBe("request");
      await expect.poll(() => server.sessions.length).toBe(2);
      server.held[0]!.write(framedTexts("late"));
      endWith(server.held[0]!, OK);
      expect(await received.ended.promise).toBeUndefined();
      expect(received.told).toEqual(["open", "late", "end"]);
    });

    function cutBy(cut: (stream: ServerHttp2Stream) => void): (stream: ServerHttp2Stream) => void {
      return (stream) => stream.write(half, () => cut(stream));
    }
  });
});

function answerPage(stream: ServerHttp2Stream): void {
  stream.respond({ ":status": 503, "content-type": "text/html" });
  stream.end("<html>no</html>");
}

function reset(stream: ServerHttp2Stream): void {
  stream.close(constants.NGHTTP2_INTERNAL_ERROR);
}

function hangUp(stream: ServerHttp2Stream): void {
  stream.session?.destroy();
}
