import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  scheduleTask,
  stringValue,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { createChild, failed, historyEvent, rewind } from "../../../support/emulator/protocol-actions.js";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

type HistoryEvent = InstanceType<typeof pb.HistoryEvent>;

const rewound = historyEvent((event) => event.setExecutionrewound(new pb.ExecutionRewoundEvent()));

/** The history that a worker goes back to: started as another execution, with one activity that it waits for. */
function historyOf(executionId: string): HistoryEvent[] {
  const instance = new pb.OrchestrationInstance();
  instance.setInstanceid("instance");
  instance.setExecutionid(stringValue(executionId));
  const started = new pb.ExecutionStartedEvent();
  started.setName("Orchestrator");
  started.setOrchestrationinstance(instance);
  const scheduled = new pb.TaskScheduledEvent();
  scheduled.setName("Activity");
  return [
    historyEvent((event) => event.setOrchestratorstarted(new pb.OrchestratorStartedEvent())),
    historyEvent((event) => event.setExecutionstarted(started)),
    historyEvent((event) => event.setTaskscheduled(scheduled), 1),
  ];
}

function childCreated(taskId: number, instanceId: string): HistoryEvent {
  const child = new pb.SubOrchestrationInstanceCreatedEvent();
  child.setInstanceid(instanceId);
  child.setName("Child");
  return historyEvent((event) => event.setSuborchestrationinstancecreated(child), taskId);
}

/** Lets an instance fail whose only activity is still with its worker; resolves with that. */
async function failEarly(worker: RawWorker): Promise<WorkItem> {
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const activity = await worker.item();
  await hub.client.raiseOrchestrationEvent("instance", "go", 1);
  await hub.raw.completeEpisode(await worker.item(), [failed(2, new pb.TaskFailureDetails())]);
  expect(await hub.status("instance")).toBe("FAILED");
  return activity;
}

test("a worker is told of a rewind alone, behind the history that ended in the failure", async () => {
  const worker = await hub.raw.worker();
  await failEarly(worker);
  await hub.client.rewindInstance("instance", "mended");
  await hub.client.raiseOrchestrationEvent("instance", "go", "meanwhile");
  const { orchestratorrequest } = await worker.item();
  expect(orchestratorrequest?.neweventsList).toMatchObject([
    { orchestratorstarted: {} },
    { executionrewound: { reason: { value: "mended" } } },
  ]);
  expect(orchestratorrequest?.pasteventsList.at(-1)).toMatchObject({ executioncompleted: { orchestrationstatus: 3 } });
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "the history that a worker answers with is the one to go on from%s",
  async (_, restarts) => {
    let worker = await hub.raw.worker();
    const old = await failEarly(worker);
    await hub.client.rewindInstance("instance", "mended");
    const told = await worker.item();
    await hub.client.raiseOrchestrationEvent("instance", "go", "meanwhile");
    await hub.raw.completeEpisode(told, [rewind([...historyOf("another"), rewound])]);
    expect(await hub.raw.state("instance")).toMatchObject({
      executionid: { value: "another" },
      orchestrationstatus: 0,
    });
    await hub.raw.completeActivity(old, "of the old execution");
    if (restarts) {
      await hub.restart();
      worker = await hub.raw.worker();
    }
    const items = [await worker.item(), await worker.item()];
    const activity = items.find((item) => item.activityrequest !== undefined)!;
    const episode = items.find((item) => item.orchestratorrequest !== undefined)!;
    expect(activity.activityrequest).toMatchObject({
      name: "Activity",
      taskid: 1,
      orchestrationinstance: { executionid: { value: "another" } },
    });
    expect(episode.orchestratorrequest).toMatchObject({
      executionid: { value: "another" },
      pasteventsList: historyOf("another").map((event) => ({ eventid: event.getEventid() })),
    });
    expect(episode.orchestratorrequest?.neweventsList.slice(1, 2)).toMatchObject([{ executionrewound: {} }]);
    await hub.raw.completeEpisode(episode, []);
    const next = await worker.item();
    expect(next.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
      { eventraised: { input: { value: '"meanwhile"' } } },
    ]);
    await hub.raw.completeActivity(activity, "of the new execution");
    await hub.raw.completeEpisode(next, []);
    const last = await worker.item();
    expect(last.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
      { taskcompleted: { result: { value: '"of the new execution"' } } },
    ]);
    await hub.raw.completeEpisode(last, [complete(2, "end")]);
    expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "end" });
  },
);

test.each(WITH_AND_WITHOUT_RESTART)(
  "an activity that has not begun when its orchestration is rewound runs once%s",
  async (_, restarts) => {
    const narrowWorker = async (): Promise<RawWorker> =>
      hub.raw.worker("narrow", (request) => request.setMaxconcurrentactivityworkitems(1));
    let worker = await narrowWorker();
    await hub.raw.start("instance");
    await hub.raw.completeEpisode(await worker.item(), [scheduleTask(0), scheduleTask(1)]);
    let held = await worker.item();
    await hub.client.raiseOrchestrationEvent("instance", "go", 1);
    await hub.raw.completeEpisode(await worker.item(), [failed(2, new pb.TaskFailureDetails())]);
    if (restarts) {
      await hub.restart();
      worker = await narrowWorker();
      held = await worker.item();
    }
    await hub.client.rewindInstance("instance", "mended");
    await hub.raw.completeEpisode(await worker.item(), [rewind([...historyOf("another"), rewound])]);
    await hub.raw.completeEpisode(await worker.item(), []);
    await hub.raw.completeActivity(held, "of the old execution");
    const activity = await worker.item();
    expect(activity.activityrequest).toMatchObject({
      taskid: 1,
      orchestrationinstance: { executionid: { value: "another" } },
    });
    await hub.raw.completeActivity(activity, "of the new execution");
    expect((await worker.item()).orchestratorrequest?.neweventsList.slice(1)).toMatchObject([{ taskcompleted: {} }]);
  },
);

test("a worker that was not told of a rewind fails the orchestration by asking for one", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [rewind([...historyOf("another"), rewound])]);
  expect(await hub.end("instance")).toMatchObject({
    status: "FAILED",
    failure: { message: expect.stringContaining("rewindOrchestration") },
  });
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "an instance that is terminated while it is rewound ends%s",
  async (_, restarts) => {
    let worker = await hub.raw.worker();
    await failEarly(worker);
    await hub.client.rewindInstance("instance", "mended");
    await hub.client.terminateOrchestration("instance", "enough");
    const told = await worker.item();
    await hub.raw.completeEpisode(told, [rewind([...historyOf("another"), rewound])]);
    if (restarts) {
      await hub.restart();
      worker = await hub.raw.worker();
    }
    const seen: unknown[] = [];
    while (!seen.includes("terminated")) {
      const item = await worker.item();
      const events = item.orchestratorrequest?.neweventsList ?? [];
      seen.push(...events.map(({ executionterminated }) => executionterminated && "terminated"));
      if (item.orchestratorrequest !== undefined) await hub.raw.completeEpisode(item, []);
    }
    expect(seen.filter((each) => each === "terminated")).toHaveLength(1);
  },
);

test("an instance that is no sub-orchestration of the one that is rewound makes room for it, or is a failure", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("ends", "Unrelated");
  const ends = await worker.item();
  await hub.raw.start("stays", "Unrelated");
  await worker.item();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [createChild(1, "ends"), createChild(2, "stays")]);
  await hub.raw.completeEpisode(await worker.item(), [failed(3, new pb.TaskFailureDetails())]);
  await hub.raw.completeEpisode(ends, [complete(1, "unrelated")]);
  await hub.client.rewindInstance("instance", "mended");
  const created = [childCreated(1, "ends"), childCreated(2, "stays")];
  await hub.raw.completeEpisode(await worker.item(), [
    rewind([...historyOf("another").slice(0, 2), ...created, rewound]),
  ]);
  const items = [await worker.item(), await worker.item()];
  const of = (id: string): WorkItem => items.find(({ orchestratorrequest }) => orchestratorrequest?.instanceid === id)!;
  expect(of("ends").orchestratorrequest?.neweventsList[1]?.executionstarted).toMatchObject({
    name: "Child",
    parentinstance: { taskscheduledid: 1 },
  });
  await hub.raw.completeEpisode(of("instance"), []);
  expect((await worker.item()).orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { suborchestrationinstancefailed: { taskscheduledid: 2 } },
  ]);
});

test("an instance that failed as it asked for a sub-orchestration whose id was taken is rewound like any other", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("taken", "Unrelated");
  await worker.item();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [createChild(1, "taken"), failed(2, new pb.TaskFailureDetails())]);
  expect((await hub.raw.history("instance")).at(-1)).toMatchObject({ executioncompleted: { orchestrationstatus: 3 } });
  await hub.client.rewindInstance("instance", "mended");
  expect((await worker.item()).orchestratorrequest?.neweventsList.slice(1)).toMatchObject([{ executionrewound: {} }]);
});

test("of two sub-orchestrations with one id the last is rewound, and the first has failed again", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  for (const taskId of [1, 2]) {
    await hub.raw.completeEpisode(await worker.item(), [createChild(taskId, "child")]);
    await hub.raw.completeEpisode(await worker.item(), [failed(9, new pb.TaskFailureDetails())]);
  }
  await hub.raw.completeEpisode(await worker.item(), [failed(3, new pb.TaskFailureDetails())]);
  await hub.client.rewindInstance("instance", "mended");
  const history = [...historyOf("another").slice(0, 2), childCreated(1, "child"), childCreated(2, "child")];
  await hub.raw.completeEpisode(await worker.item(), [rewind([...history, rewound])]);
  const items = [await worker.item(), await worker.item()];
  const [parent, child] = ["instance", "child"].map((id) =>
    items.find(({ orchestratorrequest }) => orchestratorrequest?.instanceid === id)!,
  );
  expect(child!.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([{ executionrewound: {} }]);
  await hub.raw.completeEpisode(parent!, []);
  const next = await worker.item();
  expect(next.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { suborchestrationinstancefailed: { taskscheduledid: 1 } },
  ]);
  await hub.raw.completeEpisode(next, []);
  await hub.raw.completeEpisode(child!, [complete(1, "child")]);
  expect((await worker.item()).orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { suborchestrationinstancecompleted: { taskscheduledid: 2 } },
  ]);
});
