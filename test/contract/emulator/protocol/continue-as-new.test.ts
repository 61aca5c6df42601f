import { HistoryEventType, type OrchestrationContext } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import {
  complete,
  continueAsNew,
  createTimer,
  scheduleTask,
  stringValue,
} from "../../../support/emulator/raw-connection.js";
import { Gate, ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* countsDown(context: OrchestrationContext, { n, sum }: { n: number; sum: number }): Steps {
  const result = yield context.callActivity("double", n);
  if (n === 0) return sum;

  context.continueAsNew({ n: n - 1, sum: sum + Number(result) }, false);
  return undefined;
}

interface Round {
  readonly round: number;
  readonly keeps: boolean;
}

/** Works in its first execution, while events may come, and asks for one in its second. */
async function* asksLater(context: OrchestrationContext, { round, keeps }: Round): Steps {
  if (round === 0) {
    yield context.callActivity("gate");
    context.continueAsNew({ round: 1, keeps }, keeps);
    return undefined;
  }
  context.setCustomStatus("asks");
  return [yield context.waitForExternalEvent("go"), yield context.waitForExternalEvent("go")];
}

const greets = (context: OrchestrationContext, round: number): string => {
  context.sendEvent("greeted", "hello", round);
  if (round < 3) context.continueAsNew(round + 1, false);

  return "greeted";
};

async function* isGreeted(context: OrchestrationContext): Steps {
  const heard: unknown[] = [];
  while (heard.length < 3) heard.push(yield context.waitForExternalEvent("hello"));

  return heard;
}

const work = {
  orchestrators: { countsDown, asksLater, greets, isGreeted },
  activities: { double: (_: unknown, n: unknown) => Number(n) * 2 },
};

test("a hundred executions end as one, and its history is that of the last", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("countsDown", { n: 100, sum: 0 }, "instance");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: 10_100 });
  expect(await hub.count("instance", HistoryEventType.ExecutionStarted)).toBe(1);
  expect(await hub.count("instance", HistoryEventType.TaskCompleted)).toBe(1);
});

test("the next execution has another execution id and its own input, and the instance keeps the rest", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance", "Orchestrator", (request) => {
    request.getTagsMap().set("team", "red");
    request.setVersion(stringValue("1.0"));
  });
  const before = await hub.raw.state("instance");
  await hub.raw.completeEpisode(await worker.item(), [continueAsNew(1, "again")]);
  const after = await hub.raw.state("instance");
  expect(after).toMatchObject({
    name: "Orchestrator",
    orchestrationstatus: 0,
    input: { value: '"again"' },
    version: { value: "1.0" },
    tagsMap: [["team", "red"]],
    createdtimestamp: before?.createdtimestamp,
  });
  expect(after?.executionid?.value).not.toBe(before?.executionid?.value);
  const next = await worker.item();
  expect(next.orchestratorrequest?.executionid?.value).toBe(after?.executionid?.value);
  expect(next.orchestratorrequest?.pasteventsList).toEqual([]);
  expect(next.orchestratorrequest?.neweventsList[1]?.executionstarted).toMatchObject({
    input: { value: '"again"' },
    version: { value: "1.0" },
    tagsMap: [["team", "red"]],
    orchestrationinstance: { executionid: after?.executionid },
  });
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "a new version and new tags are those of the next execution%s",
  async (_, restarts) => {
    let worker = await hub.raw.worker();
    await hub.raw.start("instance", "Orchestrator", (request) => {
      request.getTagsMap().set("team", "red");
      request.setVersion(stringValue("1.0"));
    });
    const action = continueAsNew(1, "again");
    action.getCompleteorchestration()!.setNewversion(stringValue("2.0"));
    action.getCompleteorchestration()!.getTagsMap().set("team", "blue");
    await hub.raw.completeEpisode(await worker.item(), [action]);
    if (restarts) {
      await hub.restart();
      worker = await hub.raw.worker();
    }
    expect((await worker.item()).orchestratorrequest?.neweventsList[1]?.executionstarted).toMatchObject({
      version: { value: "2.0" },
      tagsMap: [["team", "blue"]],
    });
    expect(await hub.raw.state("instance")).toMatchObject({ version: { value: "2.0" }, tagsMap: [["team", "blue"]] });
  },
);

test.each(WITH_AND_WITHOUT_RESTART)(
  "events that were not asked for are carried on if they are to%s",
  async (_, restarts) => {
    const gate = new Gate();
    const gated = { ...work, activities: { gate: gate.activity } };
    await hub.worker(gated);
    await hub.client.scheduleNewOrchestration("asksLater", { round: 0, keeps: true }, "instance");
    await gate.reached;
    await hub.client.raiseOrchestrationEvent("instance", "go", "first");
    if (restarts) await hub.restart(gated);
    gate.open("done");
    await expect.poll(async () => (await hub.raw.state("instance"))?.customstatus?.value).toBe('"asks"');
    if (restarts) await hub.restart(gated);
    await hub.client.raiseOrchestrationEvent("instance", "go", "second");
    expect(await hub.end("instance")).toMatchObject({ output: ["first", "second"] });
  },
);

test("events that were not asked for are gone otherwise", async () => {
  const gate = new Gate();
  await hub.worker({ ...work, activities: { gate: gate.activity } });
  await hub.client.scheduleNewOrchestration("asksLater", { round: 0, keeps: false }, "instance");
  await gate.reached;
  await hub.client.raiseOrchestrationEvent("instance", "go", "lost");
  await expect.poll(() => hub.count("instance", HistoryEventType.EventRaised)).toBe(1);
  await hub.passed();
  gate.open("done");
  await expect.poll(async () => (await hub.raw.state("instance"))?.customstatus?.value).toBe('"asks"');
  await hub.client.raiseOrchestrationEvent("instance", "go", "kept");
  await hub.client.raiseOrchestrationEvent("instance", "go", "too");
  expect(await hub.end("instance")).toMatchObject({ output: ["kept", "too"] });
});

test("what comes while the last episode is with a worker is for the next execution, but for results of the old one", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1), createTimer(2, Date.now())]);
  const items = [await worker.item(), await worker.item()];
  const activity = items.find((item) => item.activityrequest !== undefined)!;
  const episode = items.find((item) => item.orchestratorrequest !== undefined)!;
  await hub.raw.completeActivity(activity, "old");
  await hub.client.raiseOrchestrationEvent("instance", "go", "new");
  await hub.raw.completeEpisode(episode, [continueAsNew(3, "again")]);
  const next = await worker.item();
  expect(next.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { executionstarted: { input: { value: '"again"' } } },
    { eventraised: { name: "go", input: { value: '"new"' } } },
  ]);
  await hub.raw.completeEpisode(next, [complete(1, "end")]);
  expect(await hub.end("instance")).toMatchObject({ output: "end" });
});

test("events that an execution sends before it continues as new leave all the same", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("isGreeted", undefined, "greeted");
  await hub.client.scheduleNewOrchestration("greets", 1, "greets");
  expect(await hub.end("greeted")).toMatchObject({ output: [1, 2, 3] });
  expect(await hub.end("greets")).toMatchObject({ output: "greeted" });
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "what is suspended meanwhile begins again once it is resumed%s",
  async (_, restarts) => {
    let worker = await hub.raw.worker();
    await hub.raw.start("instance");
    const episode = await worker.item();
    await hub.client.suspendOrchestration("instance");
    await hub.raw.completeEpisode(episode, [continueAsNew(1, "again")]);
    expect(await hub.status("instance")).toBe("SUSPENDED");
    if (restarts) {
      await hub.restart();
      worker = await hub.raw.worker();
    }
    await hub.raw.start("fence");
    expect((await worker.item()).orchestratorrequest?.instanceid).toBe("fence");
    await hub.client.resumeOrchestration("instance");
    expect(await hub.status("instance")).toBe("RUNNING");
    expect((await worker.item()).orchestratorrequest).toMatchObject({
      instanceid: "instance",
      neweventsList: [
        {},
        { executionstarted: { input: { value: '"again"' } } },
        { executionsuspended: {} },
        { executionresumed: {} },
      ],
    });
  },
);

test("the result of an activity of the old execution is not that of the same number of the next", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const old = await worker.item();
  await hub.client.raiseOrchestrationEvent("instance", "go", 1);
  await hub.raw.completeEpisode(await worker.item(), [continueAsNew(2, "again")]);
  await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const next = await worker.item();
  await hub.raw.completeActivity(old, "old");
  await hub.raw.completeActivity(next, "new");
  expect((await worker.item()).orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { taskcompleted: { taskscheduledid: 1, result: { value: '"new"' } } },
  ]);
});
