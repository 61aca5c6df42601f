import { whenAll, type OrchestrationContext } from "@microsoft/durabletask-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  scheduleTask,
  stringValue,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator, type Workload } from "../../../support/emulator/served-emulator.js";
import type { Steps } from "../../../support/emulator/protocol-hub.js";

let served: ServedEmulator;
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  served.close();
});

type Filter = readonly [name: string, ...versions: string[]];

/** A worker that takes these orchestrators and activities alone. */
async function filteredWorker(
  orchestrators: readonly Filter[],
  activities: readonly Filter[] = [],
): Promise<RawWorker> {
  const filters = new pb.WorkItemFilters();
  for (const [name, ...versions] of orchestrators) {
    const filter = new pb.OrchestrationFilter();
    filter.setName(name);
    filter.setVersionsList(versions);
    filters.addOrchestrations(filter);
  }
  for (const [name, ...versions] of activities) {
    const filter = new pb.ActivityFilter();
    filter.setName(name);
    filter.setVersionsList(versions);
    filters.addActivities(filter);
  }
  return served.connect().worker("filtered", (request) => {
    request.setWorkitemfilters(filters);
  });
}

async function start(instanceId: string, name: string, version?: string): Promise<void> {
  await hub.start(instanceId, name, (request) => {
    if (version !== undefined) request.setVersion(stringValue(version));
  });
}

/** A task of that version, by the name of its id. */
function versioned(id: number, name: string, version: string): ReturnType<typeof scheduleTask> {
  const action = scheduleTask(id, name);
  action.getScheduletask()!.setVersion(stringValue(version));
  return action;
}

/** What so many items are about. */
async function subjects(worker: RawWorker, count: number): Promise<(string | undefined)[]> {
  const items: WorkItem[] = [];
  while (items.length < count) items.push(await worker.item());
  return items.map(
    ({ orchestratorrequest, activityrequest }) => orchestratorrequest?.instanceid ?? activityrequest?.name,
  );
}

test("a worker gets the orchestrators that it names, and others get the rest", async () => {
  const filtered = await filteredWorker([["Mine"], ["Ours"]]);
  for (const name of ["Mine", "Theirs", "Ours", "Mine"]) await start(`${name}-${await countOnHub()}`, name);
  expect(await subjects(filtered, 3)).toEqual(["Mine-0", "Ours-2", "Mine-3"]);
  expect(await subjects(await hub.worker(), 1)).toEqual(["Theirs-1"]);
  expect(filtered.arrived).toBe(0);
});

async function countOnHub(): Promise<number> {
  let count = 0;
  for await (const _ of served.client().getAllInstances()) count += 1;
  return count;
}

test("a worker gets the activities that it names, and others get the rest", async () => {
  const filtered = await filteredWorker([["Orchestrator"]], [["mine"]]);
  await start("instance", "Orchestrator");
  const tasks = ["mine", "theirs", "mine"].map((name, index) => scheduleTask(index + 1, name));
  await hub.completeEpisode(await filtered.item(), tasks);
  expect(await subjects(filtered, 2)).toEqual(["mine", "mine"]);
  expect(await subjects(await hub.worker(), 1)).toEqual(["theirs"]);
  expect(filtered.arrived).toBe(0);
});

test.each<[string, Filter[], string[]]>([
  ["any version where it names none", [["Mine"]], ["none", "1.0", "2.0"]],
  ["the versions that it names, and not what has none", [["Mine", "1.0", "3.0"]], ["1.0"]],
  ["what has no version where it names the empty one", [["Mine", ""]], ["none"]],
  [
    "all versions of a name that comes twice",
    [
      ["Mine", "1.0"],
      ["Mine", "2.0"],
    ],
    ["1.0", "2.0"],
  ],
  ["any version of a name that comes with versions and without", [["Mine", "1.0"], ["Mine"]], ["none", "1.0", "2.0"]],
])("a worker gets %s: orchestrators", async (_, filters, ids) => {
  await start("none", "Mine");
  await start("1.0", "Mine", "1.0");
  await start("2.0", "Mine", "2.0");
  expect(await subjects(await filteredWorker(filters), ids.length)).toEqual(ids);
  expect((await subjects(await hub.worker(), 3 - ids.length)).length).toBe(3 - ids.length);
});

test("a worker gets the versions of an activity that it names, and of those without one its orchestration's", async () => {
  const filtered = await filteredWorker([["Orchestrator"]], [["a", "2.0"]]);
  await start("instance", "Orchestrator", "2.0");
  const actions = [versioned(1, "a", "1.0"), versioned(2, "a", "2.0"), scheduleTask(3, "a")];
  await hub.completeEpisode(await filtered.item(), actions);
  expect((await filtered.item()).activityrequest).toMatchObject({ taskid: 2, version: { value: "2.0" } });
  const unversioned = (await filtered.item()).activityrequest;
  expect([unversioned?.taskid, unversioned?.version]).toEqual([3, undefined]);
  expect((await (await hub.worker()).item()).activityrequest?.taskid).toBe(1);
  expect(filtered.arrived).toBe(0);
});

test("an activity has the version of the execution that asked for it when that has ended, also over a restart", async () => {
  const starter = await filteredWorker([["Orchestrator"]]);
  await start("instance", "Orchestrator", "2.0");
  await hub.completeEpisode(await starter.item(), [scheduleTask(1, "a"), complete(2, "end")]);
  served.stop();
  await served.open();
  hub = served.connect();
  const other = await filteredWorker([], [["a", "1.0"]]);
  expect((await (await filteredWorker([], [["a", "2.0"]])).item()).activityrequest?.taskid).toBe(1);
  expect(other.arrived).toBe(0);
});

test("a worker whose filters name nothing gets nothing", async () => {
  const filtered = await filteredWorker([]);
  await start("instance", "Orchestrator");
  await hub.completeEpisode(await (await hub.worker()).item(), [complete(1, "end")]);
  expect(filtered.arrived).toBe(0);
});

test("what nobody takes waits, also over a restart, and goes to a worker that comes later", async () => {
  let filtered = await filteredWorker([["Mine"]]);
  await start("theirs", "Theirs");
  await start("mine", "Mine");
  expect(await subjects(filtered, 1)).toEqual(["mine"]);
  served.stop();
  await served.open();
  hub = served.connect();
  filtered = await filteredWorker([["Mine"]]);
  expect(await subjects(filtered, 1)).toEqual(["mine"]);
  expect(await subjects(await filteredWorker([["Theirs"]]), 1)).toEqual(["theirs"]);
  expect(filtered.arrived).toBe(0);
});

test("what a worker held goes, when its connection is cut, to one that takes it", async () => {
  await start("instance", "Mine");
  const { connection, cut } = await served.connectCuttably();
  const other = await filteredWorker([["Theirs"]]);
  expect(await subjects(await connection.worker(), 1)).toEqual(["instance"]);
  cut();
  expect(await subjects(await filteredWorker([["Mine"]]), 1)).toEqual(["instance"]);
  expect(other.arrived).toBe(0);
});

async function* fanOut(context: OrchestrationContext, width: number): Steps {
  return yield whenAll(Array.from({ length: width }, (_, n) => context.callActivity("square", n)));
}

const ORCHESTRATORS: Workload = { orchestrators: { fanOut } };
const ACTIVITIES: Workload = { activities: { square: (_context, n) => (n as number) ** 2 } };
const SQUARES = Array.from({ length: 50 }, (_, n) => n ** 2);

async function fannedOut(): Promise<unknown> {
  const client = served.client();
  const id = await client.scheduleNewOrchestration("fanOut", SQUARES.length);
  const state = await client.waitForOrchestrationCompletion(id);
  return JSON.parse(state?.serializedOutput ?? "null");
}

test("a worker for orchestrators alone and one for activities alone complete a fan-out side by side", async () => {
  await served.worker(ORCHESTRATORS, "hub", { workItemFilters: { orchestrations: [{ name: "fanOut" }] } });
  await served.worker(ACTIVITIES, "hub", { workItemFilters: { activities: [{ name: "square" }] } });
  expect(await fannedOut()).toEqual(SQUARES);
});

test("workers whose filters the SDK makes of what they have complete a fan-out side by side", async () => {
  await served.worker(ACTIVITIES, "hub", { workItemFilters: "auto" });
  await served.worker(ORCHESTRATORS, "hub", { workItemFilters: "auto" });
  await served.worker({ orchestrators: { other: () => "other" } }, "hub", { workItemFilters: "auto" });
  expect(await Promise.all([fannedOut(), fannedOut(), fannedOut()])).toEqual([SQUARES, SQUARES, SQUARES]);
});
