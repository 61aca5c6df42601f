import {
  OrchestrationStatus,
  PurgeInstanceCriteria,
  type PurgeInstanceOptions,
  type TaskHubGrpcClient,
} from "@microsoft/durabletask-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { bytes, committed, newInstance } from "../../../support/emulator/store-contract.js";
import { FAMILY, startFamily, type Member } from "../../../support/emulator/family.js";

const RECURSIVE = { recursive: true };

let served: ServedEmulator;
let client: TaskHubGrpcClient;

beforeEach(async () => {
  served = await ServedEmulator.start();
  client = served.client();
});

afterEach(() => {
  served.close();
});

async function purgeBatch(
  instanceIds: readonly string[],
  { recursive = false }: PurgeInstanceOptions = {},
): Promise<number> {
  const batch = new pb.InstanceBatch();
  batch.setInstanceidsList([...instanceIds]);
  const request = new pb.PurgeInstancesRequest();
  request.setInstancebatch(batch);
  request.setRecursive(recursive);
  const response = await served.connect().call("PurgeInstances", request, pb.PurgeInstancesResponse);
  expect(response.getIscomplete()?.getValue()).toBe(true);
  return response.getDeletedinstancecount();
}

async function purgeById(instanceId: string, options?: PurgeInstanceOptions): Promise<number | undefined> {
  return (await client.purgeOrchestration(instanceId, options))?.deletedInstanceCount;
}

async function purgeTerminated(options?: PurgeInstanceOptions): Promise<number | undefined> {
  const criteria = new PurgeInstanceCriteria();
  criteria.setRuntimeStatusList([OrchestrationStatus.TERMINATED]);
  return (await client.purgeOrchestration(criteria, options))?.deletedInstanceCount;
}

async function idsLeft(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { instanceId } of client.getAllInstances()) ids.push(instanceId);
  return ids;
}

async function start(...families: readonly Member[]): Promise<void> {
  await served.worker(FAMILY);
  await Promise.all(families.map((family) => startFamily(client, family)));
}

/** So many instances that have ended, each with one below it that has. */
function fillPairs(count: number): string[] {
  const ids = Array.from({ length: count }, (_, n) => `parent-${n}`);
  committed(served.store, () => {
    for (const parentId of ids) {
      fillEnded(parentId);
      fillEnded(`${parentId}.child`, parentId);
    }
  });
  return ids;
}

function fillEnded(instanceId: string, parentId?: string): void {
  const key = served.store.insertInstance(newInstance({ instanceId, parentId }))!;
  const nothing = { output: undefined, customStatus: undefined, failure: undefined, trace: undefined };
  const progress = { processedSeq: 0, historySeq: 0, history: bytes(""), tasksCompleted: 0 };
  const status = parentId === undefined ? Status.Terminated : Status.Completed;
  served.store.applyEpisode(key, { ...nothing, ...progress, status, updatedUs: 1, completedUs: 1 });
}

const LINE: Member = { id: "a", children: [{ id: "a.b", children: [{ id: "a.b.c" }] }] };

describe("a purge by id", () => {
  test("deletes an instance that has ended, with its history, for good, and its id is free", async () => {
    await start({ id: "one" }, { id: "two" });
    expect(await purgeById("one")).toBe(1);
    expect(await client.getOrchestrationState("one")).toBeUndefined();
    expect(await client.getOrchestrationHistory("one")).toEqual([]);
    expect(await purgeById("one")).toBe(0);
    served.stop();
    await served.open();
    client = served.client();
    expect(await idsLeft()).toEqual(["two"]);
    await start({ id: "one" });
    expect(await idsLeft()).toEqual(["one", "two"]);
  });

  test("deletes nothing that runs, and nothing that is not there", async () => {
    await start({ id: "one", stays: true });
    expect(await purgeById("one")).toBe(0);
    expect(await purgeById("one", RECURSIVE)).toBe(0);
    expect(await purgeById("none")).toBe(0);
    expect(await idsLeft()).toEqual(["one"]);
  });

  test("leaves what the instance has started", async () => {
    await start(LINE);
    expect(await purgeById("a")).toBe(1);
    expect(await idsLeft()).toEqual(["a.b", "a.b.c"]);
  });

  test("deletes and counts all that is below the instance if it is recursive", async () => {
    await start(LINE, { id: "other", children: [{ id: "other.b" }] });
    expect(await purgeById("a", RECURSIVE)).toBe(3);
    expect(await idsLeft()).toEqual(["other", "other.b"]);
  });

  test("leaves what still runs below the instance, with what is below that", async () => {
    await start({ id: "a", children: [{ id: "a.b", stays: true, children: [{ id: "a.b.c" }] }, { id: "a.d" }] });
    expect(await purgeById("a", RECURSIVE)).toBe(2);
    expect(await idsLeft()).toEqual(["a.b", "a.b.c"]);
    expect((await client.getOrchestrationState("a.b"))?.runtimeStatus).toBe(OrchestrationStatus.RUNNING);
  });
});

describe("a purge by batch", () => {
  test("deletes those that have ended and counts them alone", async () => {
    await start({ id: "one" }, { id: "two", stays: true }, { id: "three" }, { id: "four" });
    expect(await purgeBatch(["one", "two", "none", "three", "one"])).toBe(2);
    expect(await idsLeft()).toEqual(["four", "two"]);
    expect(await purgeBatch([])).toBe(0);
  });

  test("deletes and counts all that is below them if it is recursive", async () => {
    await start(LINE, { id: "x", children: [{ id: "x.y" }] }, { id: "z", children: [{ id: "z.y" }] });
    expect(await purgeBatch(["a", "z"], RECURSIVE)).toBe(5);
    expect(await idsLeft()).toEqual(["x", "x.y"]);
  });

  test("deletes more than one turn takes", async () => {
    const ids = fillPairs(700);
    expect(await purgeBatch(ids)).toBe(700);
    expect((await idsLeft()).length).toBe(700);
    expect(await purgeBatch([...ids.map((id) => `${id}.child`), ...ids])).toBe(700);
    expect(await idsLeft()).toEqual([]);
  });

  test("deletes more than one turn takes with all that is below", async () => {
    expect(await purgeBatch(fillPairs(700), RECURSIVE)).toBe(1_400);
    expect(await idsLeft()).toEqual([]);
  });
});

describe("a purge by filter", () => {
  test("leaves what the instances have started, whatever became of it", async () => {
    fillPairs(2);
    expect(await purgeTerminated()).toBe(2);
    expect(await idsLeft()).toEqual(["parent-0.child", "parent-1.child"]);
  });

  test("deletes and counts all that is below them if it is recursive, whatever became of it", async () => {
    await start({ id: "a", stays: true, children: [LINE, { id: "b", stays: true }].map(under("a")) }, { id: "c" });
    await client.terminateOrchestration("a", "enough");
    await client.waitForOrchestrationCompletion("a");
    expect(await purgeTerminated(RECURSIVE)).toBe(4);
    expect(await idsLeft()).toEqual(["a/b", "c"]);
  });

  test("deletes more than one turn takes with all that is below", async () => {
    fillPairs(1_100);
    expect(await purgeTerminated(RECURSIVE)).toBe(2_200);
    expect(await idsLeft()).toEqual([]);
  });
});

test("a purge that names nothing deletes nothing", async () => {
  await start({ id: "one" });
  const request = new pb.PurgeInstancesRequest();
  const response = await served.connect().call("PurgeInstances", request, pb.PurgeInstancesResponse);
  expect(response.getDeletedinstancecount()).toBe(0);
  expect(await idsLeft()).toEqual(["one"]);
});

/** The family with ids that are its own under that head. */
function under(head: string): (family: Member) => Member {
  return ({ id, children = [], ...rest }) => ({ ...rest, id: `${head}/${id}`, children: children.map(under(head)) });
}
