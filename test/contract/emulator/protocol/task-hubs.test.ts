import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { complete, scheduleTask } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

let served: ServedEmulator;

afterEach(() => {
  served.close();
});

async function serve(taskHubs?: readonly string[]): Promise<void> {
  served = await ServedEmulator.start({ taskHubs });
}

async function reopen(): Promise<void> {
  served.stop();
  await served.open();
}

async function createHub(taskHub: string, recreate = false): Promise<void> {
  const request = new pb.CreateTaskHubRequest();
  request.setRecreateifexists(recreate);
  await served.connect(taskHub).call("CreateTaskHub", request, pb.CreateTaskHubResponse);
}

async function deleteHub(taskHub: string): Promise<void> {
  await served.connect(taskHub).call("DeleteTaskHub", new pb.DeleteTaskHubRequest(), pb.DeleteTaskHubResponse);
}

function unknown(taskHub: string, others: string): unknown {
  return {
    code: status.NOT_FOUND,
    details: `There is no task hub '${taskHub}' on this emulator, which has ${others}.`,
  };
}

/** An instance that has ended, one that runs, with an activity that a worker holds, and one that waits. */
async function fill(taskHub: string): Promise<() => Promise<void>> {
  const hub = served.connect(taskHub);
  const worker = await hub.worker();
  await hub.start("ended");
  await hub.completeEpisode(await worker.item(), [complete(1, "end")]);
  await hub.start("running");
  await hub.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const activity = await worker.item();
  worker.cancel();
  await hub.start("waiting");
  return () => hub.completeActivity(activity, "too late");
}

async function idsOn(taskHub: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { instanceId } of served.client(taskHub).getAllInstances()) ids.push(instanceId);
  return ids;
}

describe("an emulator with named task hubs", () => {
  test("refuses a hub that it has not, to clients and to workers, and names those that it has", async () => {
    await serve(["one", "two"]);
    const nowhere = served.connect("nowhere");
    const refusal = unknown("nowhere", "one, two");
    await expect(nowhere.start("instance")).rejects.toMatchObject(refusal as object);
    await expect(nowhere.state("instance")).rejects.toMatchObject(refusal as object);
    await expect(nowhere.history("instance")).rejects.toMatchObject(refusal as object);
    await expect(nowhere.worker()).rejects.toMatchObject(refusal as object);
    await expect(idsOn("nowhere")).rejects.toMatchObject(refusal as object);
    const item = { completiontoken: "token" } as Parameters<typeof nowhere.abandon>[0];
    await expect(nowhere.completeActivity(item, 1)).rejects.toMatchObject(refusal as object);
    await expect(nowhere.completeEpisode(item, [])).rejects.toMatchObject(refusal as object);
    await expect(nowhere.abandon(item)).rejects.toMatchObject(refusal as object);
    await expect(deleteHub("nowhere")).rejects.toMatchObject(refusal as object);
  });

  test("says so if it has none", async () => {
    await serve([]);
    await expect(served.connect("hub").start("instance")).rejects.toMatchObject(unknown("hub", "none") as object);
  });

  test("knows a hub that was created, also after a restart", async () => {
    await serve(["one"]);
    await createHub("new");
    await served.connect("new").start("instance");
    await reopen();
    expect(await idsOn("new")).toEqual(["instance"]);
    await expect(idsOn("nowhere")).rejects.toMatchObject(unknown("nowhere", "one, new") as object);
  });

  test("forgets a hub that was deleted, with all that was on it, also after a restart", async () => {
    await serve(["one"]);
    await createHub("new");
    await fill("new");
    await deleteHub("new");
    await expect(idsOn("new")).rejects.toMatchObject(unknown("new", "one") as object);
    await reopen();
    await expect(idsOn("new")).rejects.toMatchObject(unknown("new", "one") as object);
    await createHub("new");
    expect(await idsOn("new")).toEqual([]);
  });

  test("has a hub that was created while it was being deleted, also after a restart", async () => {
    await serve([]);
    await createHub("new");
    const hub = served.connect("new");
    await hub.start("instance");
    const deleted = hub.call("DeleteTaskHub", new pb.DeleteTaskHubRequest(), pb.DeleteTaskHubResponse);
    await hub.call("CreateTaskHub", new pb.CreateTaskHubRequest(), pb.CreateTaskHubResponse);
    await deleted;
    await reopen();
    expect(await idsOn("new")).toEqual([]);
  });

  test("has a hub that it was told to have again after a restart, though it was deleted", async () => {
    await serve(["one"]);
    await fill("one");
    await deleteHub("one");
    await expect(idsOn("one")).rejects.toMatchObject(unknown("one", "none") as object);
    await reopen();
    expect(await idsOn("one")).toEqual([]);
  });
});

describe("CreateTaskHub", () => {
  test("leaves a hub that is there as it is", async () => {
    await serve();
    await fill("hub");
    await createHub("hub");
    expect(await idsOn("hub")).toEqual(["ended", "running", "waiting"]);
  });

  test("empties a hub that is there if it is asked to, what runs included, and no other one", async () => {
    await serve();
    const completeLate = await fill("hub");
    await fill("other");
    await createHub("hub", true);
    expect(await idsOn("hub")).toEqual([]);
    expect(await idsOn("other")).toEqual(["ended", "running", "waiting"]);
    await completeLate();
    await reopen();
    expect(await idsOn("hub")).toEqual([]);
    expect(await idsOn("other")).toEqual(["ended", "running", "waiting"]);
  });

  test("makes a hub on which the ids and the work of the earlier one mean nothing", async () => {
    await serve();
    const completeLate = await fill("hub");
    await createHub("hub", true);
    const hub = served.connect("hub");
    const worker = await hub.worker();
    await hub.start("running", "Another");
    await completeLate();
    const item = await worker.item();
    expect(item.orchestratorrequest?.neweventsList.map(({ executionstarted }) => executionstarted?.name)).toEqual([
      undefined,
      "Another",
    ]);
    await hub.completeEpisode(item, [complete(1, "end")]);
    expect(await hub.state("running")).toMatchObject({ name: "Another", output: { value: '"end"' } });
    expect(worker.arrived).toBe(0);
  });
});

describe("DeleteTaskHub", () => {
  test("empties a hub where any name is one", async () => {
    await serve();
    await fill("hub");
    await deleteHub("hub");
    expect(await idsOn("hub")).toEqual([]);
    await served.connect("hub").start("running");
    expect(await idsOn("hub")).toEqual(["running"]);
  });

  test("leaves whole what is started meanwhile where any name is one", async () => {
    await serve();
    const hub = served.connect("hub");
    await hub.start("before");
    const starts: Promise<void>[] = [];
    const end = new AbortController();
    const deleted = deleteHub("hub").then(() => {
      end.abort();
    });
    while (!end.signal.aborted) {
      starts.push(hub.start(`instance-${starts.length}`));
      // One for each turn of the emulator, which runs in this process: some come between its last two.
      await new Promise(setImmediate);
    }
    await Promise.all([deleted, ...starts]);
    const left = await idsOn("hub");
    const worker = await hub.worker();
    const run = new Set<unknown>();
    while (run.size < left.length) run.add((await worker.item()).orchestratorrequest?.instanceid);
    expect(run).toEqual(new Set(left));
  });

  test("calls off the activities that nobody waits for", async () => {
    await serve();
    const hub = served.connect("hub");
    const worker = await hub.worker();
    await hub.start("instance");
    const episode = await worker.item();
    worker.cancel();
    await hub.completeEpisode(episode, [scheduleTask(1), complete(2, "end")]);
    await deleteHub("hub");
    await hub.start("fence");
    expect((await (await hub.worker()).item()).orchestratorrequest?.instanceid).toBe("fence");
    await reopen();
    const later = await served.connect("hub").worker();
    expect((await later.item()).orchestratorrequest?.instanceid).toBe("fence");
    await served.connect("hub").state("fence");
    expect(later.arrived).toBe(0);
  });

  test("deletes more than one turn takes", async () => {
    await serve();
    const hub = served.connect();
    await Promise.all(Array.from({ length: 1_234 }, (_, n) => hub.start(`instance-${n}`)));
    await deleteHub("hub");
    expect(await idsOn("hub")).toEqual([]);
    await reopen();
    expect(await idsOn("hub")).toEqual([]);
  });

  test("answers those who wait for an instance that it has gone", async () => {
    await serve();
    await served.connect().start("instance");
    const client = served.client();
    const ended = client.waitForOrchestrationCompletion("instance");
    const begun = client.waitForOrchestrationStart("instance");
    // It goes the same way: once it is answered, those are waiting.
    await client.getOrchestrationState("instance");
    await deleteHub("hub");
    expect(await Promise.all([ended, begun])).toEqual([undefined, undefined]);
  });
});

test("any name is a hub where none is named, and what is on one is not on another", async () => {
  await serve();
  await served.connect("one").start("instance", "First");
  await served.connect("two").start("instance", "Second");
  expect([await served.connect("one").state("instance"), await served.connect("two").state("instance")]).toMatchObject([
    { name: "First" },
    { name: "Second" },
  ]);
  expect(await idsOn("three")).toEqual([]);
});
