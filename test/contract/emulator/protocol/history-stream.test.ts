import { HistoryEventType } from "@microsoft/durabletask-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  scheduleTask,
  stringValue,
  type RawConnection,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

const MIB = 1_048_576;
const HISTORY_STREAMING = pb.WorkerCapability.WORKER_CAPABILITY_HISTORY_STREAMING;

let served: ServedEmulator;
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  served.close();
});

type HistoryEvent = Awaited<ReturnType<RawConnection["history"]>>[number];

/** What happened, by the names of the events. */
function types(events: readonly HistoryEvent[]): (string | undefined)[] {
  return events.map((event) => {
    const { eventid: _, timestamp: __, ...what } = event;
    const [type] = Object.entries(what).find(([, value]) => value !== undefined) ?? [];
    return type;
  });
}

async function raise(instanceId: string, name: string): Promise<void> {
  await served.client().raiseOrchestrationEvent(instanceId, name);
}

async function forWorkItem(instanceId: string, executionId?: string): Promise<HistoryEvent[]> {
  return hub.history(instanceId, (request) => {
    request.setForworkitemprocessing(true);
    if (executionId !== undefined) request.setExecutionid(stringValue(executionId));
  });
}

async function ofExecution(instanceId: string, executionId: string): Promise<HistoryEvent[]> {
  return hub.history(instanceId, (request) => {
    request.setExecutionid(stringValue(executionId));
  });
}

function onlyOrchestrators(name: string): InstanceType<typeof pb.WorkItemFilters> {
  const filter = new pb.OrchestrationFilter();
  filter.setName(name);
  const filters = new pb.WorkItemFilters();
  filters.addOrchestrations(filter);
  return filters;
}

function sendEvent(id: number): InstanceType<typeof pb.OrchestratorAction> {
  const target = new pb.OrchestrationInstance();
  target.setInstanceid("nobody");
  const send = new pb.SendEventAction();
  send.setInstance(target);
  send.setName("hello");
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setSendevent(send);
  return action;
}

describe("a history stream", () => {
  test("has what was processed in order, then what waits", async () => {
    const worker = await hub.worker();
    await hub.start("instance");
    await hub.completeEpisode(await worker.item(), [scheduleTask(1), scheduleTask(2)]);
    const [first, second] = [await worker.item(), await worker.item()];
    worker.cancel();
    await hub.completeActivity(second, "second");
    await hub.completeActivity(first, "first");
    const processed = ["orchestratorstarted", "executionstarted", "taskscheduled", "taskscheduled"];
    const events = await hub.history("instance");
    expect(types(events)).toEqual([...processed, "taskcompleted", "taskcompleted"]);
    expect(events.slice(-2).map(({ taskcompleted }) => taskcompleted?.result?.value)).toEqual(['"second"', '"first"']);
    expect(types(await forWorkItem("instance"))).toEqual(processed);
  });

  test("of an instance that no worker has begun has what waits for it, for a client alone", async () => {
    await hub.start("instance");
    await raise("instance", "one");
    await raise("instance", "two");
    const events = await hub.history("instance");
    expect(types(events)).toEqual(["executionstarted", "eventraised", "eventraised"]);
    expect(events.slice(1).map(({ eventraised }) => eventraised?.name)).toEqual(["one", "two"]);
    expect(await forWorkItem("instance")).toEqual([]);
  });

  test("is read by the SDK's client", async () => {
    await served.worker({ orchestrators: { greets: () => "hello" } });
    const client = served.client();
    await client.scheduleNewOrchestration("greets", undefined, "instance");
    await client.waitForOrchestrationCompletion("instance");
    expect((await client.getOrchestrationHistory("instance")).map(({ type }) => type)).toEqual([
      HistoryEventType.OrchestratorStarted,
      HistoryEventType.ExecutionStarted,
      HistoryEventType.ExecutionCompleted,
    ]);
  });

  test("of an instance that is not there is empty", async () => {
    expect(await hub.history("none")).toEqual([]);
    expect(await forWorkItem("none")).toEqual([]);
  });

  test("of another execution is empty, and that of the execution that is named is whole", async () => {
    await hub.start("instance");
    const { executionid } = (await hub.state("instance"))!;
    expect(await ofExecution("instance", "another")).toEqual([]);
    expect(types(await ofExecution("instance", executionid!.value))).toEqual(["executionstarted"]);
    expect(types(await ofExecution("instance", ""))).toEqual(["executionstarted"]);
  });

  test("comes in messages below 4 MiB, however large it is", async () => {
    const sizes = [0.5, 0.6, 2.5, 0.01, 3.5, 0.9];
    const worker = await hub.worker("worker", (request) => {
      request.setCapabilitiesList([HISTORY_STREAMING]);
      request.setWorkitemfilters(onlyOrchestrators("Orchestrator"));
    });
    await hub.start("instance");
    for (const [index, size] of sizes.entries()) {
      await hub.completeEpisode(await worker.item(), [scheduleTask(index, "Activity", "x".repeat(size * MIB))]);
      await raise("instance", `${index}`);
    }
    const chunks: number[] = [];
    const inputs: number[] = [];
    for await (const chunk of hub.historyStream("instance")) {
      chunks.push((chunk as Buffer).length);
      for (const { taskscheduled } of pb.HistoryChunk.deserializeBinary(chunk as Buffer).toObject().eventsList)
        if (taskscheduled?.input !== undefined) inputs.push(Math.round((taskscheduled.input.value.length / MIB) * 100));
    }
    expect(inputs).toEqual(sizes.map((size) => size * 100));
    expect(Math.max(...chunks)).toBeLessThan(4 * MIB);
    expect(chunks.length).toBeGreaterThanOrEqual(3);
  });

  test("of 20,000 events is whole and in order", async () => {
    const worker = await hub.worker();
    await hub.start("instance");
    const actions = Array.from({ length: 20_000 }, (_, index) => sendEvent(index + 1));
    await hub.completeEpisode(await worker.item(), actions);
    const events = await hub.history("instance");
    expect(events.length).toBe(2 + actions.length);
    expect(events.slice(2).map(({ eventid, eventsent }) => eventsent && eventid)).toEqual(
      actions.map((action) => action.getId()),
    );
    served.stop();
    await served.open();
    hub = served.connect();
    expect((await hub.history("instance")).length).toBe(2 + actions.length);
  });
});

/** The second episode of an instance whose history is of that size, as a worker with these capabilities gets it. */
async function secondEpisode(bytes: number, capabilities: pb.WorkerCapability[]): Promise<WorkItem> {
  const worker = await hub.worker("worker", (request) => {
    request.setCapabilitiesList(capabilities);
  });
  await hub.start("instance", "Orchestrator", (request) => {
    request.setInput(stringValue("x".repeat(bytes)));
  });
  await hub.completeEpisode(await worker.item(), [scheduleTask(1)]);
  await hub.completeActivity(await worker.item(), "done");
  return worker.item();
}

describe("a worker that streams histories", () => {
  test("is told to ask for one over 1 MiB, and gets no past events", async () => {
    const item = await secondEpisode(1.1 * MIB, [HISTORY_STREAMING]);
    const { orchestratorrequest } = item;
    expect(orchestratorrequest).toMatchObject({ requireshistorystreaming: true, pasteventsList: [] });
    expect(types(orchestratorrequest!.neweventsList)).toEqual(["orchestratorstarted", "taskcompleted"]);
    const past = await forWorkItem("instance", orchestratorrequest!.executionid?.value);
    expect(types(past)).toEqual(["orchestratorstarted", "executionstarted", "taskscheduled"]);
    expect(past[1]?.executionstarted?.input?.value.length).toBe(Math.floor(1.1 * MIB));
    await hub.completeEpisode(item, [complete(2, "end")]);
    expect((await hub.state("instance"))?.output?.value).toBe('"end"');
  });

  test.each([
    ["gets a shorter one with the item", 0.9 * MIB, [HISTORY_STREAMING]],
    ["is told by its capabilities: another gets the same whole", 1.1 * MIB, []],
  ])("%s", async (_, bytes, capabilities) => {
    const { orchestratorrequest } = await secondEpisode(bytes, capabilities);
    expect(orchestratorrequest?.requireshistorystreaming).toBe(false);
    expect(types(orchestratorrequest!.pasteventsList)).toEqual([
      "orchestratorstarted",
      "executionstarted",
      "taskscheduled",
    ]);
  });
});
