import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  MOST_CALLS,
  MOST_CONNECTIONS,
  MOST_MESSAGE_BYTES,
  MOST_RAISED_EVENTS,
} from "../../../../src/emulator/limits/limits.js";
import { FrameKind, FrameReader, FrameWriter, LINK_METHODS, LINK_PREFACE } from "../../../../src/protocol/link.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { LinkWorker } from "../../../support/emulator/link-worker.js";
import { createChild } from "../../../support/emulator/protocol-actions.js";
import { complete, scheduleTask, type RawConnection } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

const EXHAUSTED = { code: status.RESOURCE_EXHAUSTED };

let served: ServedEmulator;
let client: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  client = served.connect();
});

afterEach(() => {
  served.close();
});

function raise(instanceId: string, name = "event"): Promise<unknown> {
  const request = new pb.RaiseEventRequest();
  request.setInstanceid(instanceId);
  request.setName(name);
  return client.call("RaiseEvent", request, pb.RaiseEventResponse);
}

/** A call that is made when its test has begun. */
function call(method: string, request: Parameters<RawConnection["call"]>[1]): () => Promise<unknown> {
  return () => client.call(method, request, pb.CreateInstanceResponse);
}

async function raiseMany(instanceId: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 500)
    await Promise.all(Array.from({ length: Math.min(500, count - n) }, () => raise(instanceId)));
}

describe("events that nobody takes", () => {
  test("are refused beyond the limit, which the error names with the instance, until they are taken", async () => {
    await client.start("deaf");
    await raiseMany("deaf", MOST_RAISED_EVENTS);
    await expect(raise("deaf")).rejects.toMatchObject(EXHAUSTED);
    await expect(raise("deaf")).rejects.toThrow(`'deaf' that no worker has taken: the limit is ${MOST_RAISED_EVENTS}`);
    // Others have room of their own.
    await client.start("other");
    await raise("other");
    const worker = await client.worker();
    const items = [await worker.item(), await worker.item()];
    const item = items.find(({ orchestratorrequest }) => orchestratorrequest!.instanceid === "deaf")!;
    expect(item.orchestratorrequest!.neweventsList.filter(({ eventraised }) => eventraised)).toHaveLength(
      MOST_RAISED_EVENTS,
    );
    await client.completeEpisode(item, []);
    await raise("deaf");
  }, 60_000);

  test("are no reason to refuse a result of an activity, or an end", async () => {
    await client.start("deaf");
    const worker = await client.worker();
    await client.completeEpisode(await worker.item(), [scheduleTask(1)]);
    const activity = await worker.item();
    await raise("deaf");
    // What a worker has and has not answered for is not taken yet.
    const held = await worker.item();
    await raiseMany("deaf", MOST_RAISED_EVENTS - 1);
    await client.completeActivity(activity, "result");
    await expect(raise("deaf")).rejects.toMatchObject(EXHAUSTED);
    await client.completeEpisode(held, []);
    const last = await worker.item();
    expect(last.orchestratorrequest!.neweventsList.filter(({ taskcompleted }) => taskcompleted)).toHaveLength(1);
    await client.completeEpisode(last, [complete(2, "done")]);
  }, 60_000);
});

describe("ids and names", () => {
  const LONG = "x".repeat(101);

  test("of 100 characters and of 1 KiB are taken, and found again", async () => {
    const id = "ä".repeat(100);
    await client.start(id, "n".repeat(1_024));
    await raise(id, "e".repeat(1_024));
    expect(await client.state(id)).toMatchObject({ instanceid: id, name: "n".repeat(1_024) });
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ["id of an instance", () => client.start("ä".repeat(101)), "The instance id has 101 characters: the limit is 100"],
    ["name of an orchestrator", () => client.start("one", "n".repeat(1_025)), "orchestrator has 1025 bytes"],
    ["name of an event", () => raise("one", "e".repeat(1_025)), "event has 1025 bytes"],
  ])("a longer %s is refused with its size and the limit", async (_, call, message) => {
    await expect(call()).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining(message) as string,
    });
  });

  function naming<T extends { setInstanceid(id: string): void }>(request: T): T {
    request.setInstanceid(LONG);
    return request;
  }
  function batch(): InstanceType<typeof pb.InstanceBatch> {
    const ids = new pb.InstanceBatch();
    ids.setInstanceidsList(["one", LONG]);
    return ids;
  }
  test.each<[string, () => Promise<unknown>]>([
    ["GetInstance", call("GetInstance", naming(new pb.GetInstanceRequest()))],
    ["WaitForInstanceStart", call("WaitForInstanceStart", naming(new pb.GetInstanceRequest()))],
    ["WaitForInstanceCompletion", call("WaitForInstanceCompletion", naming(new pb.GetInstanceRequest()))],
    ["RaiseEvent", () => raise(LONG)],
    ["TerminateInstance", call("TerminateInstance", naming(new pb.TerminateRequest()))],
    ["SuspendInstance", call("SuspendInstance", naming(new pb.SuspendRequest()))],
    ["ResumeInstance", call("ResumeInstance", naming(new pb.ResumeRequest()))],
    ["RewindInstance", call("RewindInstance", naming(new pb.RewindInstanceRequest()))],
    ["RestartInstance", call("RestartInstance", naming(new pb.RestartInstanceRequest()))],
    ["PurgeInstances", call("PurgeInstances", naming(new pb.PurgeInstancesRequest()))],
    [
      "PurgeInstances of a batch",
      () => {
        const request = new pb.PurgeInstancesRequest();
        request.setInstancebatch(batch());
        return call("PurgeInstances", request)();
      },
    ],
    [
      "SkipGracefulOrchestrationTerminations",
      () => {
        const request = new pb.SkipGracefulOrchestrationTerminationsRequest();
        request.setInstancebatch(batch());
        return call("SkipGracefulOrchestrationTerminations", request)();
      },
    ],
    ["StreamInstanceHistory", () => client.history(LONG)],
  ])("%s refuses the id of an instance that there cannot be", async (_, asks) => {
    await expect(asks()).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining("101 characters: the limit is 100") as string,
    });
  });

  test("of a sub-orchestration that there cannot be is a failure of its task, which says why", async () => {
    const worker = await client.worker();
    await client.start("parent");
    await client.completeEpisode(await worker.item(), [createChild(1, LONG)]);
    const [, failed] = (await worker.item()).orchestratorrequest!.neweventsList;
    expect(failed?.suborchestrationinstancefailed?.failuredetails).toMatchObject({
      errortype: "InvalidInstanceId",
      errormessage: expect.stringContaining("101 characters: the limit is 100") as string,
    });
  });

  test("of an instance that an older version has taken are found", async () => {
    const { store } = served;
    const row = { taskHub: "hub", instanceId: LONG, executionId: "e", name: "Old", status: 1, createdUs: 1 };
    const none = { version: undefined, input: undefined, parentId: undefined, parent: undefined };
    store.begin();
    store.insertInstance({ ...row, ...none, scheduledStartUs: 0, tags: [] });
    store.commit();
    expect(await client.state(LONG)).toMatchObject({ instanceid: LONG, name: "Old" });
  });
});

describe("connections", () => {
  let sockets: Socket[];

  beforeEach(async () => {
    sockets = [];
    // With that of the client, which is made by its first call.
    await client.start("first");
    for (let n = 1; n < MOST_CONNECTIONS; n += 1) {
      const socket = createConnection(served.socket);
      sockets.push(socket);
      await once(socket, "connect");
    }
  });

  afterEach(() => {
    for (const socket of sockets) socket.destroy();
  });

  test("beyond the limit are told why, and closed, while all others go on; there is room when one has gone", async () => {
    const late = served.connect();
    await expect(late.start("late")).rejects.toMatchObject({
      ...EXHAUSTED,
      details: expect.stringContaining(String(MOST_CONNECTIONS)) as string,
    });
    const idle = createConnection(served.socket);
    await once(idle, "close");
    await client.start("of the first");
    sockets.pop()!.destroy();
    await expect
      .poll(
        () =>
          late.start("late").then(
            () => "started",
            () => "refused",
          ),
        { interval: 200 },
      )
      .toBe("started");
  }, 30_000);

  test("beyond the limit are refused over the link as well", async () => {
    const worker = new LinkWorker(served.socket, "hub");
    await expect(worker.hello()).rejects.toMatchObject(EXHAUSTED);
    worker.channel.close();
  });
});

describe("on a link", () => {
  test("a message that is too large is refused with its size and the limit, and the link lives on", async () => {
    const worker = new LinkWorker(served.socket, "hub");
    const large = Buffer.alloc(MOST_MESSAGE_BYTES + 1);
    const refused = worker.channel.call("CompleteActivityTask", large, 30_000);
    await expect(refused).rejects.toMatchObject({
      ...EXHAUSTED,
      details: expect.stringMatching(/67108865 bytes.*67108864/u) as string,
    });
    await worker.hello();
    worker.channel.close();
  });

  test("calls beyond the limit are refused, and the others stay", async () => {
    const socket = createConnection(served.socket);
    const writer = new FrameWriter(socket, queueMicrotask);
    const answers: { number: number; code: number | undefined }[] = [];
    const reader = new FrameReader((kind, number, payload) => {
      if (kind === FrameKind.End || kind === FrameKind.Answer) answers.push({ number, code: payload[0] });
    });
    socket.on("data", (chunk: Buffer) => {
      reader.add(chunk);
    });
    socket.write(LINK_PREFACE);
    writer.write(FrameKind.Open, 0, Buffer.from(JSON.stringify({ taskHub: "hub", workerId: "w" })));
    for (let number = 1; number <= MOST_CALLS; number += 1) writer.write(FrameKind.Take, number, Buffer.alloc(0));
    const hello = (number: number): void => {
      writer.write(FrameKind.Call, number, Buffer.alloc(0), LINK_METHODS.indexOf("Hello"));
    };
    hello(MOST_CALLS + 1);
    await expect.poll(() => answers).toEqual([{ number: MOST_CALLS + 1, code: status.RESOURCE_EXHAUSTED }]);
    writer.write(FrameKind.Cancel, 1, Buffer.alloc(0));
    hello(MOST_CALLS + 2);
    await expect.poll(() => answers.slice(1)).toEqual([{ number: MOST_CALLS + 2, code: undefined }]);
    socket.destroy();
  }, 60_000);
});
