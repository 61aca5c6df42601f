import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MessageReader } from "../../../../src/backend/message-reader.js";
import { framed } from "../../../../src/protocol/grpc-frame.js";
import { executionStarted } from "../../../../src/protocol/history-event.js";
import { FrameKind, FrameReader, FrameWriter, LINK_PREFACE } from "../../../../src/protocol/link.js";
import { stringValue } from "../../../../src/protocol/wire.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { committed, newInstance } from "../../../support/emulator/store-contract.js";

/** What the emulator keeps for a worker that does not read its stream. */

const ITEMS = 4_000;
/** More than the sockets hold. */
const SOME = 500;
/** All together less than what a worker is sent before it completes any. */
const ITEM_BYTES = 6_000;
/** A third of all items: what the sockets and the ends of the stream hold, and what is not collected yet. */
const MOST_KEPT_BYTES = 8_000_000;

let served: ServedEmulator;

beforeEach(async () => {
  served = await ServedEmulator.start();
});

afterEach(() => {
  served.close();
});

/** A stream of work items that nobody reads until `read` is called. */
interface SlowWorker {
  /** Reads until the items are there; returns the ids of their instances, in order. */
  read(count: number): Promise<string[]>;
  close(): void;
}

/** Reads a stream that is paused; `add` takes its bytes and puts into `ids` whose items have come. */
function reading(stream: Readable, ids: string[], add: (chunk: Buffer) => void): SlowWorker["read"] {
  return (count) =>
    new Promise((resolve) => {
      stream.on("data", (chunk: Buffer) => {
        add(chunk);
        if (ids.length >= count) resolve(ids);
      });
    });
}

function instanceIdOf(item: Buffer): string {
  return pb.WorkItem.deserializeBinary(item).getOrchestratorrequest()!.getInstanceid();
}

async function overGrpc(initialWindowSize = 65_535): Promise<SlowWorker & { cancel(): void }> {
  const session = connectHttp2("http://localhost", {
    createConnection: () => connectSocket(served.socket),
    settings: { initialWindowSize },
  });
  const stream = session.request({
    ":method": "POST",
    ":path": "/TaskHubSidecarService/GetWorkItems",
    "content-type": "application/grpc",
    te: "trailers",
    taskhub: "hub",
  });
  stream.on("error", () => {});
  stream.end(framed(new Uint8Array(0)));
  await once(stream, "response");
  const ids: string[] = [];
  const reader = new MessageReader(2 ** 30, { onMessage: (item) => ids.push(instanceIdOf(item)) });
  const read = reading(stream, ids, (chunk) => {
    reader.add(chunk);
  });
  return { read, close: () => session.destroy(), cancel: () => stream.close(constants.NGHTTP2_CANCEL) };
}

async function overLink(): Promise<SlowWorker> {
  const socket = connectSocket(served.socket);
  socket.write(LINK_PREFACE);
  const writer = new FrameWriter(socket, queueMicrotask);
  writer.write(FrameKind.Open, 0, Buffer.from(JSON.stringify({ taskHub: "hub", workerId: "slow" })));
  writer.write(FrameKind.Take, 1, Buffer.alloc(0));
  // It is there, and what has come is left where it is.
  await once(socket, "readable");
  const ids: string[] = [];
  const reader = new FrameReader((kind, _number, payload) => {
    if (kind === FrameKind.Item) ids.push(instanceIdOf(payload));
  });
  const read = reading(socket, ids, (chunk) => {
    reader.add(chunk);
  });
  return { read, close: () => socket.destroy() };
}

/** So many instances that have begun and wait for an episode, each as large as its input. */
async function fill(count: number): Promise<void> {
  served.stop();
  await served.open();
  const { store } = served;
  committed(store, () => {
    for (let n = 0; n < count; n += 1) {
      const instance = newInstance({ instanceId: `i${n}` });
      const input = stringValue("x".repeat(ITEM_BYTES));
      const started = executionStarted({ ...instance, input, traceContext: undefined, tags: [] }, 1);
      store.appendWaiting(store.insertInstance(instance)!, { seq: 2, event: started });
    }
  });
  served.stop();
  await served.open();
}

test.each([
  ["gRPC", () => overGrpc()],
  ["the link", overLink],
])("a worker that does not read over %s has little kept for it, and gets all once it reads", async (_, connect) => {
  await fill(ITEMS);
  const before = process.memoryUsage();
  const slow = await connect();
  const other = served.connect();
  // An answer to a later call shows that all that is sent has been.
  expect(await other.state("i0")).toMatchObject({ instanceid: "i0" });
  const after = process.memoryUsage();
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(MOST_KEPT_BYTES);
  expect(after.external - before.external).toBeLessThan(MOST_KEPT_BYTES);
  const ids = await slow.read(ITEMS);
  expect(new Set(ids).size).toBe(ITEMS);
  expect(ids).toHaveLength(ITEMS);
  slow.close();
});

test.each([
  ["gRPC", () => overGrpc()],
  ["the link", overLink],
])("what a worker over %s has not read goes to another one when it leaves", async (_, connect) => {
  await fill(SOME);
  const slow = await connect();
  const other = await overGrpc();
  slow.close();
  const ids = await other.read(SOME);
  expect(new Set(ids).size).toBe(SOME);
  other.close();
});

test("what has not left for a worker goes to another one when it cancels its stream and keeps its connection", async () => {
  await fill(SOME);
  const full = await overGrpc(0);
  const other = await overGrpc();
  full.cancel();
  const ids = await other.read(SOME);
  expect(new Set(ids).size).toBe(SOME);
  expect(served.emulator.status()).toMatchObject({ connections: 2, redelivered: 0 });
  full.close();
  other.close();
});
