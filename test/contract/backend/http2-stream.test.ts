import { constants, type ServerHttp2Stream } from "node:http2";
import { Metadata, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { framed } from "../../../src/protocol/grpc-frame.js";
import {
  Http2TestServer,
  PATH,
  REQUEST,
  Received,
  WIRES,
  answer,
  call,
  framedTexts,
  openStream,
} from "../../support/backend/http2-test-server.js";
import { Relay } from "../../support/backend/relay.js";

let server: Http2TestServer;

describe.each(WIRES)("over %s", (wire) => {
  beforeEach(async () => {
    server = await Http2TestServer.start(wire);
  });

  afterEach(async () => {
    vi.useRealTimers();
    await server.close();
  });

  describe("a stream", () => {
    test("opens with its headers, and delivers each message when it arrives", async () => {
      const arrived = Promise.withResolvers<ServerHttp2Stream>();
      server.handle = arrived.resolve;
      const { received } = openStream(server.connect());
      const stream = await arrived.promise;
      expect(received.told).toEqual([]);
      server.hold(stream);
      await expect.poll(() => received.told).toEqual(["open"]);
      stream.write(framedTexts("one"));
      await expect.poll(() => received.told).toEqual(["open", "one"]);
      stream.write(framedTexts("two", "", "three"));
      await expect.poll(() => received.told).toEqual(["open", "one", "two", "", "three"]);
    });

    test("sends its request, and no deadline", async () => {
      let headers: NodeJS.Dict<string | string[]> = {};
      const body: Buffer[] = [];
      server.handle = (stream, received) => {
        headers = received;
        stream.on("data", (chunk: Buffer) => body.push(chunk));
        stream.on("end", () => answer(stream, framedTexts("done")));
      };
      const metadata = new Metadata();
      metadata.set("workerid", "w-1");
      const received = new Received();
      server.connect().stream(PATH, REQUEST, metadata, received);
      expect(await received.ended.promise).toBeUndefined();
      expect(headers).toMatchObject({ ":path": PATH, workerid: "w-1", "content-type": "application/grpc" });
      expect(headers["grpc-timeout"]).toBeUndefined();
      expect(Buffer.concat(body)).toEqual(framed(REQUEST));
    });

    test("ends without an error after its last message when the server ends it", async () => {
      server.handle = (stream) => answer(stream, [framedTexts("one"), framedTexts("two", "three")]);
      const { received } = openStream(server.connect());
      await received.ended.promise;
      expect(received.told).toEqual(["open", "one", "two", "three", "end"]);
    });

    test("may be empty", async () => {
      server.handle = (stream) => answer(stream, []);
      const { received } = openStream(server.connect());
      await received.ended.promise;
      expect(received.told).toEqual(["open", "end"]);
    });

    test("carries messages larger than all windows, complete and in order", async () => {
      const sizes = [8 * 1_048_576, 1, 5 * 1_048_576, 0, 40 * 1_048_576];
      server.handle = (stream) =>
        answer(
          stream,
          sizes.map((size, index) => framed(Buffer.alloc(size, String(index)))),
        );
      const { received } = openStream(server.connect());
      expect(await received.ended.promise).toBeUndefined();
      expect(received.messages.map(({ length }) => length)).toEqual(sizes);
      const isWhole = received.messages.every((message, index) =>
        message.equals(Buffer.alloc(message.length, `${index}`)),
      );
      expect(isWhole).toBe(true);
    });

    test("shares its connection with calls, which do not wait for it", async () => {
      server.handle = server.hold;
      const connection = server.connect();
      const { received } = openStream(connection);
      await expect.poll(() => server.held.length).toBe(1);
      server.handle = (stream) => answer(stream, framed(REQUEST));
      await Promise.all(Array.from({ length: 20 }, () => call(connection)));
      server.held[0]!.write(framedTexts("still here"));
      await expect.poll(() => received.told).toEqual(["open", "still here"]);
      expect(server.sessions).toHaveLength(1);
    });
  });

  describe("a cancel", () => {
    test("tells the server, and ends the stream once, with CANCELLED", async () => {
      server.handle = server.hold;
      const { received, call } = openStream(server.connect());
      await expect.poll(() => server.held.length).toBe(1);
      const closed = new Promise((resolve) => server.held[0]!.once("close", () => resolve(server.held[0]!.rstCode)));
      call.cancel();
      call.cancel();
      expect(await received.ended.promise).toMatchObject({ code: status.CANCELLED, details: "Cancelled on client" });
      expect(await closed).toBe(constants.NGHTTP2_CANCEL);
      call.cancel();
      expect(received.told.filter((told) => told.startsWith("end"))).toEqual(["end: CANCELLED"]);
    });

    test("still delivers messages that arrived with the one that led to it", async () => {
      server.handle = (stream) => {
        server.hold(stream);
        stream.write(framedTexts("one", "two", "three"));
      };
      const { received, call } = openStream(server.connect());
      received.react = (message) => {
        if (message === "one") call.cancel();
      };
      await received.ended.promise;
      expect(received.told).toEqual(["open", "one", "two", "three", "end: CANCELLED"]);
    });

    test("before there is a connection ends the stream too", async () => {
      const { received, call } = openStream(server.connect());
      call.cancel();
      await received.ended.promise;
      expect(received.told).toEqual(["end: CANCELLED"]);
    });

    test("after the end changes nothing", async () => {
      server.handle = (stream) => answer(stream, framedTexts("one"));
      const { received, call } = openStream(server.connect());
      await received.ended.promise;
      call.cancel();
      expect(received.told).toEqual(["open", "one", "end"]);
    });
  });

  test("a stream on a server that no longer answers pings is lost", async () => {
    const relay = await Relay.start({ host: "127.0.0.1", port: server.port });
    server.handle = server.hold;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { received } = openStream(server.connect(relay.address));
    await expect.poll(() => received.told).toEqual(["open"]);
    relay.freeze();
    vi.advanceTimersByTime(30_000);
    vi.advanceTimersByTime(19_000);
    expect(received.told).toEqual(["open"]);
    vi.advanceTimersByTime(1_000);
    const error = await received.ended.promise;
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "The server does not answer pings" });
    relay.close();
  });

  test("a stream on a server that has said GOAWAY, and then is silent, is lost", async () => {
    const relay = await Relay.start({ host: "127.0.0.1", port: server.port });
    server.handle = server.hold;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const { received } = openStream(server.connect(relay.address));
    await expect.poll(() => received.told).toEqual(["open"]);
    server.sessions[0]!.close();
    vi.advanceTimersByTime(30_000);
    server.held[0]!.write(framedTexts("still here"));
    await expect.poll(() => received.told).toEqual(["open", "still here"]);
    vi.advanceTimersByTime(19_000);
    expect(received.told).toEqual(["open", "still here"]);
    relay.freeze();
    vi.advanceTimersByTime(60_000);
    const error = await received.ended.promise;
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: "The server does not answer pings" });
    relay.close();
  });

  test("a connection that was closed opens no stream", () => {
    const connection = server.connect();
    connection.close();
    expect(() => openStream(connection)).toThrow("this one was closed");
  });
});
