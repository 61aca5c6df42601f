import { status } from "@grpc/grpc-js";
import { HistoryEventType, type OrchestrationContext } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { complete, createTimer, scheduleTask, stringValue } from "../../../support/emulator/raw-connection.js";
import { Gate, ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* collects(context: OrchestrationContext, count: number): Steps {
  const events: unknown[] = [];
  for (let i = 0; i < count; i += 1) events.push(yield context.waitForExternalEvent("go"));

  return events;
}

async function* works(context: OrchestrationContext): Steps {
  return yield context.callActivity("gate");
}

test("an instance is suspended and resumed as soon as the call is answered, without a worker too", async () => {
  await hub.client.scheduleNewOrchestration("collects", 1, "instance");
  await hub.client.suspendOrchestration("instance");
  expect(await hub.status("instance")).toBe("SUSPENDED");
  await hub.client.resumeOrchestration("instance");
  expect(await hub.status("instance")).toBe("PENDING");
  await hub.worker({ orchestrators: { collects } });
  await hub.begun("instance");
  await hub.client.suspendOrchestration("instance");
  expect(await hub.status("instance")).toBe("SUSPENDED");
  await hub.client.resumeOrchestration("instance");
  expect(await hub.status("instance")).toBe("RUNNING");
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "what is suspended before its start runs once it is resumed%s",
  async (_, restarts) => {
    const ran: string[] = [];
    const runs = (context: OrchestrationContext): string => {
      ran.push(context.instanceId);
      return "end";
    };
    await hub.client.scheduleNewOrchestration("runs", undefined, "instance");
    await hub.client.suspendOrchestration("instance");
    if (restarts) await hub.restart();
    await hub.worker({ orchestrators: { runs } });
    await hub.passed();
    expect(ran).toEqual([]);
    expect(await hub.status("instance")).toBe("SUSPENDED");
    await hub.client.resumeOrchestration("instance");
    expect(await hub.end("instance")).toMatchObject({ output: "end" });
    expect(ran).toEqual(["instance"]);
  },
);

test.each(WITH_AND_WITHOUT_RESTART)("events that come meanwhile are kept, in their order%s", async (_, restarts) => {
  await hub.worker({ orchestrators: { collects } });
  await hub.client.scheduleNewOrchestration("collects", 4, "instance");
  await hub.client.raiseOrchestrationEvent("instance", "go", 1);
  await hub.client.suspendOrchestration("instance");
  await hub.client.raiseOrchestrationEvent("instance", "go", 2);
  await hub.client.raiseOrchestrationEvent("instance", "go", 3);
  await hub.client.raiseOrchestrationEvent("instance", "go", 4);
  if (restarts) await hub.restart({ orchestrators: { collects } });
  await hub.passed();
  expect(await hub.status("instance")).toBe("SUSPENDED");
  await hub.client.resumeOrchestration("instance");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: [1, 2, 3, 4] });
});

test.each(WITH_AND_WITHOUT_RESTART)("the result of an activity that ends meanwhile is kept%s", async (_, restarts) => {
  const gate = new Gate();
  const work = { orchestrators: { works }, activities: { gate: gate.activity } };
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("works", undefined, "instance");
  await gate.reached;
  await hub.client.suspendOrchestration("instance");
  gate.open("result");
  await expect.poll(() => hub.count("instance", HistoryEventType.TaskCompleted)).toBe(1);
  if (restarts) await hub.restart(work);
  await hub.passed();
  expect(await hub.status("instance")).toBe("SUSPENDED");
  await hub.client.resumeOrchestration("instance");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "result" });
  expect(gate.calls).toBe(1);
});

test("a timer that comes due meanwhile fires once it is resumed", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  const episode = await worker.item();
  // Before it has a timer, which so cannot have fired yet.
  await hub.client.suspendOrchestration("instance");
  const dueMs = Date.now() + 50;
  await hub.raw.completeEpisode(episode, [createTimer(1, dueMs)]);
  await hub.raw.start("later");
  await hub.raw.completeEpisode(await worker.item(), [createTimer(1, dueMs + 1)]);
  const later = await worker.item();
  expect(later.orchestratorrequest?.instanceid).toBe("later");
  expect(await hub.status("instance")).toBe("SUSPENDED");
  await hub.client.resumeOrchestration("instance");
  const next = await worker.item();
  expect(next.orchestratorrequest?.instanceid).toBe("instance");
  expect(next.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { executionsuspended: {} },
    { timerfired: { timerid: 1 } },
    { executionresumed: {} },
  ]);
});

test("what is suspended while a worker has its episode stays so when that is completed", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  const episode = await worker.item();
  await hub.client.suspendOrchestration("instance");
  await hub.raw.completeEpisode(episode, [scheduleTask(1)]);
  expect(await hub.status("instance")).toBe("SUSPENDED");
  await hub.raw.completeActivity(await worker.item(), "result");
  await hub.raw.start("fence");
  const fence = await worker.item();
  expect(fence.orchestratorrequest?.instanceid).toBe("fence");
  await hub.client.resumeOrchestration("instance");
  const next = await worker.item();
  expect(next.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { executionsuspended: {} },
    { taskcompleted: { taskscheduledid: 1 } },
    { executionresumed: {} },
  ]);
  await hub.raw.completeEpisode(next, [complete(2, "end")]);
  expect(await hub.end("instance")).toMatchObject({ output: "end" });
});

test.each(WITH_AND_WITHOUT_RESTART)("what is suspended can be terminated%s", async (_, restarts) => {
  await hub.worker({ orchestrators: { collects } });
  await hub.client.scheduleNewOrchestration("collects", 1, "instance");
  await hub.begun("instance");
  await hub.client.suspendOrchestration("instance");
  if (restarts) await hub.restart({ orchestrators: { collects } });
  await hub.client.terminateOrchestration("instance", "enough");
  expect(await hub.end("instance")).toMatchObject({ status: "TERMINATED", output: "enough" });
});

test("to suspend twice, and to resume twice, is to do it once", async () => {
  await hub.worker({ orchestrators: { collects } });
  await hub.client.scheduleNewOrchestration("collects", 1, "instance");
  await hub.begun("instance");
  await hub.client.resumeOrchestration("instance");
  await hub.client.suspendOrchestration("instance");
  await hub.client.suspendOrchestration("instance");
  await hub.client.raiseOrchestrationEvent("instance", "go", 1);
  await hub.client.resumeOrchestration("instance");
  await hub.client.resumeOrchestration("instance");
  expect(await hub.end("instance")).toMatchObject({ output: [1] });
  expect(await hub.count("instance", HistoryEventType.ExecutionSuspended)).toBe(1);
  expect(await hub.count("instance", HistoryEventType.ExecutionResumed)).toBe(1);
});

test("an instance is suspended and resumed again and again", async () => {
  await hub.worker({ orchestrators: { collects } });
  await hub.client.scheduleNewOrchestration("collects", 3, "instance");
  for (const value of [1, 2, 3]) {
    await hub.client.suspendOrchestration("instance");
    await hub.client.raiseOrchestrationEvent("instance", "go", value);
    await hub.passed();
    await hub.client.resumeOrchestration("instance");
  }
  expect(await hub.end("instance")).toMatchObject({ output: [1, 2, 3] });
});

test("the reasons of both are in the history", async () => {
  await hub.client.scheduleNewOrchestration("collects", 1, "instance");
  const suspend = new pb.SuspendRequest();
  suspend.setInstanceid("instance");
  suspend.setReason(stringValue("too fast"));
  await hub.raw.call("SuspendInstance", suspend, pb.SuspendResponse);
  const resume = new pb.ResumeRequest();
  resume.setInstanceid("instance");
  resume.setReason(stringValue("slow enough"));
  await hub.raw.call("ResumeInstance", resume, pb.ResumeResponse);
  expect(await hub.raw.history("instance")).toMatchObject([
    { executionstarted: {} },
    { executionsuspended: { input: { value: "too fast" } } },
    { executionresumed: { input: { value: "slow enough" } } },
  ]);
});

test("what has ended is neither suspended nor resumed", async () => {
  await hub.worker({ orchestrators: { ends: () => "end" } });
  await hub.client.scheduleNewOrchestration("ends", undefined, "instance");
  await hub.end("instance");
  const history = await hub.history("instance");
  await hub.client.suspendOrchestration("instance");
  await hub.client.resumeOrchestration("instance");
  expect(await hub.status("instance")).toBe("COMPLETED");
  expect(await hub.history("instance")).toEqual(history);
});

test("an unknown instance is refused by its name", async () => {
  const refusal = { code: status.NOT_FOUND, details: expect.stringContaining("'nobody'") };
  await expect(hub.client.suspendOrchestration("nobody")).rejects.toMatchObject(refusal);
  await expect(hub.client.resumeOrchestration("nobody")).rejects.toMatchObject(refusal);
});
