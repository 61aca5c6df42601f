import { createConnection } from "node:net";
import { once } from "node:events";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { GREETING_PATIENCE_MS } from "../../../../src/emulator/limits/limits.js";
import { LINK_PREFACE } from "../../../../src/protocol/link.js";
import { LinkWorker } from "../../../support/emulator/link-worker.js";
import {
  complete,
  continueAsNew,
  scheduleTask,
  type RawConnection,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

let served: ServedEmulator;
let hub: string;
let hubs = 0;
let client: RawConnection;
let workers: LinkWorker[];

beforeAll(async () => {
  served = await ServedEmulator.start();
});

afterAll(() => {
  served.close();
});

beforeEach(() => {
  hub = `hub-${(hubs += 1)}`;
  client = served.connect(hub);
  workers = [];
});

afterEach(() => {
  for (const { channel } of workers) channel.close();
});

async function worker(taskHub = hub): Promise<LinkWorker> {
  const taken = new LinkWorker(served.socket, taskHub);
  workers.push(taken);
  await taken.take();
  return taken;
}

type Event = NonNullable<WorkItem["orchestratorrequest"]>["pasteventsList"][number];

/** What an event is, by the one of its fields that is set. */
function kindOf(event: Event): string {
  const { eventid: _, timestamp: __, ...kinds } = event as unknown as Record<string, unknown>;
  return Object.entries(kinds).find(([, value]) => value !== undefined)![0];
}

function pastOf(item: WorkItem): string[] {
  return item.orchestratorrequest!.pasteventsList.map(kindOf);
}

function newOf(item: WorkItem): string[] {
  return item.orchestratorrequest!.neweventsList.map(kindOf);
}

/** Starts an instance and completes its first episode with one task; that task, and the episode after it. */
async function secondEpisode(on: LinkWorker) {
  await client.start("instance");
  const first = await on.next();
  await on.completeEpisode(first, [scheduleTask(1)]);
  await on.completeActivity(await on.next());
  return { first, second: await on.next() };
}

describe("what a worker remembers", () => {
  test("an episode comes with the part of the history alone that its worker does not have", async () => {
    const { first, second } = await secondEpisode(await worker());
    expect([first.knownHistory, pastOf(first), newOf(first)]).toEqual([
      0,
      [],
      ["orchestratorstarted", "executionstarted"],
    ]);
    expect(second.knownHistory).toBeGreaterThan(0);
    expect([pastOf(second), newOf(second)]).toEqual([["taskscheduled"], ["orchestratorstarted", "taskcompleted"]]);
  });

  test("a worker that has forgotten it gets the whole history", async () => {
    const forgetful = await worker();
    const { second } = await secondEpisode(forgetful);
    await forgetful.completeEpisode(second, [], true);
    const again = await forgetful.next();
    expect([again.knownHistory, pastOf(again), newOf(again)]).toEqual([
      0,
      ["orchestratorstarted", "executionstarted", "taskscheduled"],
      ["orchestratorstarted", "taskcompleted"],
    ]);
    await forgetful.completeEpisode(again, [complete(2, "end")]);
    expect((await client.state("instance"))?.orchestrationstatus).toBe(1);
  });

  test("an episode that was given back comes again with the whole history", async () => {
    const reluctant = await worker();
    const { second } = await secondEpisode(reluctant);
    await reluctant.abandonEpisode(second);
    expect((await reluctant.next()).knownHistory).toBe(0);
  });

  test("another worker gets the whole history", async () => {
    const lost = await worker();
    await secondEpisode(lost);
    const heir = await worker();
    lost.channel.close();
    const item = await heir.next();
    expect([item.knownHistory, pastOf(item)]).toEqual([
      0,
      ["orchestratorstarted", "executionstarted", "taskscheduled"],
    ]);
  });

  test("an execution that continues as new begins without a past", async () => {
    const only = await worker();
    const { second } = await secondEpisode(only);
    await only.completeEpisode(second, [continueAsNew(2, "next")]);
    const next = await only.next();
    expect([next.knownHistory, pastOf(next), newOf(next)]).toEqual([
      0,
      [],
      ["orchestratorstarted", "executionstarted"],
    ]);
  });
});

describe("calls", () => {
  test("a stale completion is refused with NOT_FOUND", async () => {
    const twice = await worker();
    await client.start("instance");
    const item = await twice.next();
    await twice.completeEpisode(item, []);
    await expect(twice.completeEpisode(item, [])).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("is stale"),
    });
  });

  test("a worker without a task hub is refused, and the link goes on", async () => {
    const nowhere = await worker("");
    expect(nowhere.over).toContain("taskhub");
    await expect(nowhere.hello()).rejects.toThrow("taskhub");
  });

  test("a stream that the emulator drains ends behind its items", async () => {
    const drained = await worker();
    await client.start("instance");
    await served.admin(hub).drainWorker("link-worker", {});
    await drained.until(() => drained.over !== undefined);
    expect([drained.over, drained.items.length]).toEqual(["ended", 1]);
  });

  test("what a worker holds when it cancels its stream stays with it", async () => {
    const leaving = await worker();
    await client.start("instance");
    const item = await leaving.next();
    leaving.cancel();
    await leaving.until(() => leaving.over !== undefined);
    await leaving.completeEpisode(item, [complete(1, "end")]);
    expect((await client.state("instance"))?.output?.value).toBe('"end"');
  });

  test("when nobody listens, calls fail with UNAVAILABLE, and a later call finds who listens by then", async () => {
    const early = new LinkWorker(`${served.socket}.none`, hub);
    workers.push(early);
    await expect(early.hello()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(early.hello()).rejects.toMatchObject({ code: status.UNAVAILABLE });
  });
});

describe("what is no link", () => {
  test.each([
    ["bytes that only begin like one", Buffer.from("fanout-lunk/1\nwhatever")],
    ["a frame without an end", Buffer.concat([LINK_PREFACE, Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0])])],
    ["an opening that is not JSON", Buffer.concat([LINK_PREFACE, Buffer.from([0, 0, 0, 6, 1, 0, 0, 0, 0, 0x7b])])],
  ])("%s: the connection is closed, and the emulator goes on", async (_, bytes) => {
    const socket = createConnection(served.socket);
    socket.write(bytes);
    await once(socket, "close");
    await client.start("instance");
    expect((await client.state("instance"))?.instanceid).toBe("instance");
  });

  test("a connection on which nothing arrives is closed in the end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { connections } = served.emulator.status();
      const socket = createConnection(served.socket);
      await expect.poll(() => served.emulator.status().connections).toBe(connections + 1);
      vi.advanceTimersByTime(GREETING_PATIENCE_MS - 1);
      expect(served.emulator.status().connections).toBe(connections + 1);
      vi.advanceTimersByTime(1);
      await once(socket, "close");
      await expect.poll(() => served.emulator.status().connections).toBe(connections);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a preface that comes byte by byte is one", async () => {
    const socket = createConnection(served.socket);
    const greeting = Buffer.from(JSON.stringify({ taskHub: hub, workerId: "slow" }));
    const head = Buffer.from([0, 0, 0, 5 + greeting.length, 1, 0, 0, 0, 0]);
    const take = Buffer.from([0, 0, 0, 5, 4, 0, 0, 0, 1]);
    for (const byte of Buffer.concat([LINK_PREFACE, head, greeting, take]))
      await new Promise((resolve) => socket.write(Buffer.from([byte]), resolve));

    const [answer] = (await once(socket, "data")) as [Buffer];
    expect([...answer.subarray(0, 9)]).toEqual([0, 0, 0, 5, 5, 0, 0, 0, 1]);
    socket.destroy();
  });
});
