import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { channelOptions } from "../../../src/backend/channel-options.js";
import { framed } from "../../../src/protocol/grpc-frame.js";
import { SidecarClient } from "../../../src/backend/sidecar-client.js";
import { metadataOf } from "../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../support/emulator/served-emulator.js";
import {
  GOAWAY,
  Http2TestServer,
  REQUEST,
  SETTINGS,
  WIRES,
  answer,
  call,
  closed,
  errorOf,
  listen,
  rawServer,
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

  describe("a connection", () => {
    test("is made by the first call, and one for all that wait for it", async () => {
      const connection = server.connect();
      expect(server.sessions).toHaveLength(0);
      await Promise.all(Array.from({ length: 40 }, () => call(connection)));
      expect(server.sessions).toHaveLength(1);
    });

    test("has room for 80 calls, or for as many as the server allows", async () => {
      const connection = server.connect();
      expect(connection.mostCalls).toBe(80);
      await call(connection);
      expect(connection.mostCalls).toBe(50);
    });

    test("that says GOAWAY ends its calls and makes no more", async () => {
      const held: ServerHttp2Stream[] = [];
      server.handle = (stream) => held.push(stream);
      const connection = server.connect();
      const first = call(connection);
      await expect.poll(() => held.length).toBe(1);
      server.sessions[0]!.close();
      server.handle = (stream) => answer(stream, framed(Buffer.from("second")));
      await expect.poll(async () => String(await call(connection).catch(() => ""))).toBe("second");
      await expect.poll(() => server.sessions.length).toBe(2);
      answer(held[0]!, framed(Buffer.from("first")));
      expect(String(await first)).toBe("first");
    });

    test("that is refused says so, and the next call tries again", async () => {
      await closed(server.server);
      const connection = server.connect();
      for (let attempt = 0; attempt < 2; attempt += 1) {
        const { code, details } = await errorOf(call(connection));
        expect(code).toBe(status.UNAVAILABLE);
        expect(details).toBe(`connect ECONNREFUSED 127.0.0.1:${server.port}`);
      }
      await listen(server.server, server.port);
      expect(await call(connection)).toEqual(REQUEST);
    });

    test("to a name with several addresses reports the last refusal", async () => {
      await closed(server.server);
      const { details } = await errorOf(call(server.connect(`localhost:${server.port}`)));
      expect(details).toMatch(/^connect ECONNREFUSED .+:\d+$/u);
    });

    test("to a name that does not resolve says so", async () => {
      const { code, details } = await errorOf(call(server.connect("nobody.invalid:80")));
      expect(code).toBe(status.UNAVAILABLE);
      expect(details).toMatch(/ENOTFOUND|EAI_AGAIN/u);
    });

    test.each<[string, (socket: Socket) => void, RegExp]>([
      ["hangs up", (socket) => socket.destroy(), /^Failed to connect$|ECONNRESET/u],
      [
        "speaks HTTP/1.1",
        (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
        /^(?:Protocol error|Failed to connect)$/u,
      ],
      ["sends calls away", (socket) => socket.end(Buffer.concat([SETTINGS, GOAWAY])), /refused|dropped/u],
    ])("to what %s says so", async (_, greet, expected) => {
      const other = await rawServer(wire, (socket) => {
        socket.on("error", () => {}).resume();
        greet(socket);
      });
      const otherPort = await listen(other);
      const { code, details } = await errorOf(call(server.connect(`127.0.0.1:${otherPort}`)));
      expect(code).toBe(status.UNAVAILABLE);
      expect(details).toMatch(expected);
      await closed(other);
    });

    test("keeps the process alive while there are calls, and no longer", async () => {
      const held: ServerHttp2Stream[] = [];
      server.handle = (stream) => held.push(stream);
      const connection = server.connect();
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

    test("that is closed refuses new calls, and lets calls in progress end", async () => {
      const held: ServerHttp2Stream[] = [];
      server.handle = (stream) => held.push(stream);
      const connection = server.connect();
      const underWay = call(connection);
      await expect.poll(() => held.length).toBe(1);
      connection.close();
      await expect(call(connection)).rejects.toThrow("this one was closed");
      answer(held[0]!, framed(REQUEST));
      expect(await underWay).toEqual(REQUEST);
      await expect.poll(() => server.sessions[0]!.destroyed).toBe(true);
    });

    test.each([0, 1, 2, 3, 4, 5])("may be closed %d turns after its first call was given up", async (turns) => {
      const abort = new AbortController();
      const connection = server.connect();
      const givenUp = errorOf(call(connection, { signal: abort.signal }));
      abort.abort();
      await givenUp;
      for (let turn = 0; turn < turns; turn += 1) await setImmediate();
      connection.close();
      await expect.poll(sockets).toBe(0);
    });

    test("is lost if the server leaves pings unanswered, and only then", async () => {
      let pings = 0;
      const silent = await rawServer(wire, (socket) => {
        socket.on("error", () => {}).resume();
        socket.write(SETTINGS);
      });
      const silentPort = await listen(silent);
      server.handle = () => {};
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      const [deaf, alive] = [server.connect(`127.0.0.1:${silentPort}`), server.connect()];
      const lost = errorOf(call(deaf));
      const abort = new AbortController();
      const kept = errorOf(call(alive, { signal: abort.signal }));
      await expect.poll(() => server.sessions.length).toBe(1);
      server.sessions[0]!.on("ping", () => (pings += 1));
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
});

/** Connections that keep the process alive. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
}

test("the emulator answers as it answers grpc-js, also after a restart", async () => {
  const emulator = await ServedEmulator.start();
  const target = {
    address: emulator.address,
    isSecure: false,
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
  expect(client.rpcErrors["TerminateInstance"]?.["UNAVAILABLE"]).toBeGreaterThan(0);
  abort.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  client.close();
  emulator.close();
});
