import { status } from "@grpc/grpc-js";
import { HistoryEventType, type OrchestrationContext } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { Gate, ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* collects(context: OrchestrationContext, names: readonly string[]): Steps {
  const events: unknown[] = [];
  for (const name of names) events.push(yield context.waitForExternalEvent(name));

  return events;
}

async function* worksFirst(context: OrchestrationContext, names: readonly string[]): Steps {
  yield context.callActivity("gate");
  return yield* collects(context, names);
}

async function* begins(context: OrchestrationContext): Steps {
  const begunMs = context.currentUtcDateTime.getTime();
  return [begunMs, yield context.waitForExternalEvent("go")];
}

const sends = (context: OrchestrationContext): string => {
  context.sendEvent("target", "Go", { from: context.instanceId });
  context.sendEvent("target", "go", 2);
  return "sent";
};

async function* asks(context: OrchestrationContext): Steps {
  context.sendEvent("answers", "question", { from: context.instanceId });
  return yield context.waitForExternalEvent("answer");
}

async function* answers(context: OrchestrationContext): Steps {
  const { from } = (yield context.waitForExternalEvent("question")) as { from: string };
  context.sendEvent(from, "answer", 42);
  return "answered";
}

const ends = (): string => "end";

const sendsInVain = (context: OrchestrationContext): string => {
  context.sendEvent("nobody", "go", 1);
  context.sendEvent("ended", "go", 1);
  return "sent";
};

async function* remindsItself(context: OrchestrationContext): Steps {
  context.sendEvent(context.instanceId, "note", "milk");
  return yield context.waitForExternalEvent("note");
}

async function* handsOn(context: OrchestrationContext, round: number): Steps {
  if (round === 0) {
    context.sendEvent(context.instanceId, "baton", "from the first");
    context.continueAsNew(1, false);
    return undefined;
  }
  return yield context.waitForExternalEvent("baton");
}

test.each(WITH_AND_WITHOUT_RESTART)("an event waits until the orchestrator asks for it%s", async (_, restarts) => {
  const gate = new Gate();
  const work = { orchestrators: { worksFirst }, activities: { gate: gate.activity } };
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("worksFirst", ["early"], "instance");
  await gate.reached;
  await hub.client.raiseOrchestrationEvent("instance", "early", { came: "early" });
  if (restarts) await hub.restart(work);
  gate.open("done");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: [{ came: "early" }] });
});

test("an event is found whatever the case of its name", async () => {
  await hub.worker({ orchestrators: { collects } });
  await hub.client.scheduleNewOrchestration("collects", ["Approval", "APPROVAL"], "instance");
  await hub.client.raiseOrchestrationEvent("instance", "approval", 1);
  await hub.client.raiseOrchestrationEvent("instance", "aPPROVAL", 2);
  expect(await hub.end("instance")).toMatchObject({ output: [1, 2] });
});

test.each(WITH_AND_WITHOUT_RESTART)("events of one name come in the order they were raised%s", async (_, restarts) => {
  await hub.client.scheduleNewOrchestration("collects", ["a", "a", "b", "a", "a"], "instance");
  for (const value of [1, 2, 3]) await hub.client.raiseOrchestrationEvent("instance", "a", value);

  if (restarts) await hub.restart();
  await hub.client.raiseOrchestrationEvent("instance", "a", 4);
  await hub.worker({ orchestrators: { collects } });
  await hub.client.raiseOrchestrationEvent("instance", "b", "b");
  expect(await hub.end("instance")).toMatchObject({ output: [1, 2, "b", 3, 4] });
});

test("an event may come without data", async () => {
  await hub.worker({ orchestrators: { collects } });
  await hub.client.scheduleNewOrchestration("collects", ["go"], "instance");
  const request = new pb.RaiseEventRequest();
  request.setInstanceid("instance");
  request.setName("go");
  await hub.raw.call("RaiseEvent", request, pb.RaiseEventResponse);
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: [null] });
});

test.each(WITH_AND_WITHOUT_RESTART)("an event does not begin a scheduled start earlier%s", async (_, restarts) => {
  await hub.worker({ orchestrators: { begins } });
  const startAt = new Date(Date.now() + 500);
  await hub.client.scheduleNewOrchestration("begins", undefined, { instanceId: "instance", startAt });
  await hub.client.raiseOrchestrationEvent("instance", "go", "event");
  if (restarts) await hub.restart({ orchestrators: { begins } });
  const { output } = await hub.end("instance");
  const [begunMs, event] = output as [number, string];
  expect(begunMs).toBeGreaterThanOrEqual(startAt.getTime());
  expect(event).toBe("event");
});

test("an event for an instance that has ended changes nothing", async () => {
  await hub.worker({ orchestrators: { ends: () => "end" } });
  await hub.client.scheduleNewOrchestration("ends", undefined, "instance");
  await hub.end("instance");
  const history = await hub.history("instance");
  await hub.client.raiseOrchestrationEvent("instance", "late", 1);
  expect(await hub.history("instance")).toEqual(history);
});

test("an event for an unknown instance is refused by its name", async () => {
  await expect(hub.client.raiseOrchestrationEvent("nobody", "go", 1)).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: expect.stringContaining("'nobody'"),
  });
});

test("an event without a name is refused", async () => {
  await hub.client.scheduleNewOrchestration("collects", ["go"], "instance");
  const request = new pb.RaiseEventRequest();
  request.setInstanceid("instance");
  await expect(hub.raw.call("RaiseEvent", request, pb.RaiseEventResponse)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
  });
});

test.each(WITH_AND_WITHOUT_RESTART)("an orchestrator sends events to another%s", async (_, restarts) => {
  await hub.worker({ orchestrators: { sends, collects } });
  await hub.client.scheduleNewOrchestration("collects", ["go", "go", "last"], "target");
  await hub.client.scheduleNewOrchestration("sends", undefined, "sender");
  expect(await hub.end("sender")).toMatchObject({ output: "sent" });
  expect(await hub.count("sender", HistoryEventType.EventSent)).toBe(2);
  if (restarts) await hub.restart({ orchestrators: { collects } });
  await hub.client.raiseOrchestrationEvent("target", "last", 3);
  expect(await hub.end("target")).toMatchObject({ output: [{ from: "sender" }, 2, 3] });
});

test("two orchestrators talk with each other", async () => {
  await hub.worker({ orchestrators: { asks, answers } });
  await hub.client.scheduleNewOrchestration("answers", undefined, "answers");
  await hub.client.scheduleNewOrchestration("asks", undefined, "asks");
  expect(await hub.end("asks")).toMatchObject({ output: 42 });
  expect(await hub.end("answers")).toMatchObject({ output: "answered" });
});

test("an event that an orchestrator sends to nobody, or to one that has ended, is gone", async () => {
  await hub.worker({ orchestrators: { ends, sendsInVain } });
  await hub.client.scheduleNewOrchestration("ends", undefined, "ended");
  await hub.end("ended");
  await hub.client.scheduleNewOrchestration("sendsInVain", undefined, "sender");
  expect(await hub.end("sender")).toMatchObject({ status: "COMPLETED", output: "sent" });
  expect(await hub.status("nobody")).toBe("none");
});

test("an orchestrator sends an event to itself", async () => {
  await hub.worker({ orchestrators: { remindsItself } });
  await hub.client.scheduleNewOrchestration("remindsItself", undefined, "instance");
  expect(await hub.end("instance")).toMatchObject({ output: "milk" });
});

test("an event that an orchestrator sends to itself reaches its next execution", async () => {
  await hub.worker({ orchestrators: { handsOn } });
  await hub.client.scheduleNewOrchestration("handsOn", 0, "instance");
  expect(await hub.end("instance")).toMatchObject({ output: "from the first" });
});
