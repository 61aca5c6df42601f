import { Metadata, credentials, status, type ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { GrpcTarget } from "../../../src/backend/grpc-target.js";
import { isServiceError } from "../../../src/backend/call-retry.js";
import { channelOptions } from "../../../src/backend/channel-options.js";
import { framed } from "../../../src/protocol/grpc-frame.js";
import { Http2Channel } from "../../../src/worker/http2-channel.js";
import { ResultSender } from "../../../src/worker/result-sender.js";
import { describeError } from "../../../src/worker/worker-channel.js";
import {
  Http2TestServer,
  OK,
  WIRES,
  answer,
  answerAtOnce,
  endWith,
  errorOf,
  framedTexts,
} from "../../support/backend/http2-test-server.js";
import { Relay } from "../../support/backend/relay.js";

const STREAM_PATH = "/TaskHubSidecarService/GetWorkItems";
const NOTHING = Buffer.alloc(0);
const DEADLINE_MS = 60_000;

let server: Http2TestServer;
let relay: Relay;
let channels: Http2Channel[];
/** The paths of the calls that have reached the server. */
let paths: string[];
/** What the metadata of a call says of who makes it. */
let token: () => string;
let tokens: unknown[];

describe.each(WIRES)("over %s", (wire) => {
  beforeEach(async () => {
    server = await Http2TestServer.start(wire);
    relay = await Relay.start({ host: "127.0.0.1", port: server.port });
    channels = [];
    paths = [];
    tokens = [];
    token = () => "t";
    server.handle = (stream, headers) => {
      paths.push(String(headers[":path"]));
      tokens.push(headers["authorization"]);
      if (headers[":path"] === STREAM_PATH) server.hold(stream);
      else answer(stream, framed(NOTHING));
    };
  });

  afterEach(async () => {
    for (const channel of channels) channel.close();
    relay.close();
    await server.close();
  });

  function openChannel(): Http2Channel {
    const target: GrpcTarget = {
      address: relay.address,
      isSecure: wire === "TLS",
      credentials: credentials.createInsecure(),
      options: channelOptions("emulator"),
      metadata: async (role, workerId) => {
        const metadata = new Metadata();
        metadata.set("workerid", `${role} ${workerId}`);
        metadata.set("authorization", token());
        return metadata;
      },
    };
    const channel = new Http2Channel(target, "w-1");
    channels.push(channel);
    return channel;
  }

  /** What a listener was told: work items as text. */
  class Told {
    readonly all: string[] = [];
    onOpen(): void {
      this.all.push("open");
    }
    onItem(item: Buffer): void {
      this.all.push(String(item));
    }
    onEnd(error: Error | undefined): void {
      this.all.push(error === undefined ? "end" : `end: ${status[(error as ServiceError).code]}`);
    }
  }

  describe("a worker's connection", () => {
    test("is one for its stream and all of its calls", async () => {
      const channel = openChannel();
      const told = new Told();
      await Promise.all([channel.call("Hello", NOTHING, DEADLINE_MS), channel.takeWorkItems(NOTHING, told)]);
      await expect.poll(() => told.all).toEqual(["open"]);
      await Promise.all(Array.from({ length: 200 }, () => channel.call("CompleteActivityTask", NOTHING, DEADLINE_MS)));
      server.held[0]!.write(framedTexts("a", "b"));
      await expect.poll(() => told.all).toEqual(["open", "a", "b"]);
      expect(relay.made).toBe(1);
      expect(new Set(paths)).toEqual(
        new Set([STREAM_PATH, "/TaskHubSidecarService/Hello", "/TaskHubSidecarService/CompleteActivityTask"]),
      );
    });

    test("names the worker, and gets the credential anew for each call", async () => {
      const channel = openChannel();
      const workers: unknown[] = [];
      const { handle } = server;
      server.handle = (stream, headers) => {
        workers.push(headers["workerid"]);
        handle(stream, headers);
      };
      token = () => `token ${tokens.length}`;
      await channel.call("Hello", NOTHING, DEADLINE_MS);
      await channel.call("CompleteActivityTask", NOTHING, DEADLINE_MS);
      await channel.takeWorkItems(NOTHING, new Told());
      await expect.poll(() => tokens).toEqual(["token 0", "token 1", "token 2"]);
      expect(workers).toEqual(["worker w-1", "worker w-1", "worker w-1"]);
    });

    test("sends nothing without a credential", async () => {
      const channel = openChannel();
      token = () => {
        throw new Error("no credential");
      };
      await expect(channel.call("Hello", NOTHING, DEADLINE_MS)).rejects.toThrow("no credential");
      await expect(channel.takeWorkItems(NOTHING, new Told())).rejects.toThrow("no credential");
      expect(relay.made).toBe(0);
    });

    test("ends its stream and calls when it is lost, and the next call makes it again, once", async () => {
      const channel = openChannel();
      const told = new Told();
      await channel.takeWorkItems(NOTHING, told);
      await expect.poll(() => told.all).toEqual(["open"]);
      const answering = server.handle;
      server.handle = server.hold;
      const underWay = [1, 2, 3].map(() => errorOf(channel.call("CompleteActivityTask", NOTHING, DEADLINE_MS)));
      await expect.poll(() => server.held.length).toBe(4);
      relay.cut();
      for (const { code } of await Promise.all(underWay)) expect(status[code]).toBe("UNAVAILABLE");
      expect(told.all).toEqual(["open", "end: UNAVAILABLE"]);
      server.handle = answering;
      const again = new Told();
      await Promise.all([channel.call("Hello", NOTHING, DEADLINE_MS), channel.takeWorkItems(NOTHING, again)]);
      await expect.poll(() => again.all).toEqual(["open"]);
      expect(relay.made).toBe(2);
    });

    test("passes on the error of a refused stream, which never opens", async () => {
      server.handle = (stream) => answerAtOnce(stream, { "grpc-status": "7", "grpc-message": "not you" });
      const ended = Promise.withResolvers<Error | undefined>();
      const told: string[] = [];
      await openChannel().takeWorkItems(NOTHING, {
        onOpen: () => told.push("open"),
        onItem: () => told.push("item"),
        onEnd: ended.resolve,
      });
      expect(describeError(await ended.promise)).toBe("PERMISSION_DENIED: not you");
      expect(told).toEqual([]);
    });

    test("ends its stream when the backend or the worker ends it", async () => {
      const channel = openChannel();
      const [ended, cancelled] = [new Told(), new Told()];
      await channel.takeWorkItems(NOTHING, ended);
      const stream = await channel.takeWorkItems(NOTHING, cancelled);
      await expect.poll(() => server.held.length).toBe(2);
      endWith(server.held[0]!, OK);
      stream.cancel();
      await expect.poll(() => ended.all).toEqual(["open", "end"]);
      await expect.poll(() => cancelled.all.at(-1)).toBe("end: CANCELLED");
      expect(relay.made).toBe(1);
    });

    test("fails a call that is not answered in time", async () => {
      server.handle = server.hold;
      const { code } = await errorOf(openChannel().call("Hello", NOTHING, 1));
      expect(status[code]).toBe("DEADLINE_EXCEEDED");
    });

    test("makes no calls once it is closed", async () => {
      const channel = openChannel();
      await channel.call("Hello", NOTHING, DEADLINE_MS);
      channel.close();
      await expect(channel.call("Hello", NOTHING, DEADLINE_MS)).rejects.not.toSatisfy(isServiceError);
      await expect(channel.takeWorkItems(NOTHING, new Told())).rejects.toThrow("closed");
    });
  });

  test("results in progress when the connection breaks are sent again over the next one", async () => {
    const answering = server.handle;
    server.handle = server.hold;
    const errors: string[] = [];
    const sender = new ResultSender(
      openChannel(),
      () => Promise.resolve(),
      new AbortController().signal,
      (message) => errors.push(message),
    );
    const sent = Array.from({ length: 30 }, () => sender.send("CompleteActivityTask", Buffer.from("result")));
    await expect.poll(() => server.held.length).toBe(30);
    server.handle = answering;
    relay.cut();
    expect(new Set((await Promise.all(sent)).map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    expect(errors).toEqual([]);
    expect(paths).toHaveLength(30);
    expect(relay.made).toBe(2);
  });
});
