import { status } from "@grpc/grpc-js";
import {
  HistoryEventType,
  TaskFailedError,
  terminateOptions,
  type OrchestrationContext,
} from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { complete, continueAsNew, stringValue } from "../../../support/emulator/raw-connection.js";
import { createChild, terminated } from "../../../support/emulator/protocol-actions.js";
import { Gate, ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

/** Waits for an event at the bottom of so many sub-orchestrations. */
async function* tree(context: OrchestrationContext, depth: number): Steps {
  return depth === 0
    ? yield context.waitForExternalEvent("go")
    : yield context.callSubOrchestrator("tree", depth - 1, { instanceId: `${context.instanceId}.${depth}` });
}

async function* watches(context: OrchestrationContext): Steps {
  try {
    return yield context.callSubOrchestrator("tree", 0, { instanceId: "child" });
  } catch (error) {
    const { errorType, message } = (error as TaskFailedError).details;
    return { failed: error instanceof TaskFailedError, errorType, message };
  }
}

async function* works(context: OrchestrationContext): Steps {
  return yield context.callActivity("gate");
}

const ends = (): string => "end";

/** Starts a tree of three and waits until its leaf has begun. */
async function startTree(): Promise<void> {
  await hub.worker({ orchestrators: { tree } });
  await hub.client.scheduleNewOrchestration("tree", 2, "root");
  await expect.poll(() => hub.status("root.2.1")).toBe("RUNNING");
}

test.each(WITH_AND_WITHOUT_RESTART)(
  "a terminated instance ends with the output it was given%s",
  async (_, restarts) => {
    await hub.client.scheduleNewOrchestration("tree", 0, "instance");
    await hub.client.terminateOrchestration("instance", { why: "enough" });
    if (restarts) await hub.restart();
    await hub.worker({ orchestrators: { tree } });
    expect(await hub.end("instance")).toMatchObject({ status: "TERMINATED", output: { why: "enough" } });
  },
);

test.each(WITH_AND_WITHOUT_RESTART)("a termination reaches grandchildren if it is to%s", async (_, restarts) => {
  await startTree();
  await hub.client.terminateOrchestration("root", terminateOptions({ output: "all of you", recursive: true }));
  if (restarts) await hub.restart({ orchestrators: { tree } });
  for (const id of ["root", "root.2", "root.2.1"])
    expect(await hub.end(id)).toMatchObject({ status: "TERMINATED", output: "all of you" });
});

test("a termination leaves children running otherwise", async () => {
  await startTree();
  await hub.client.terminateOrchestration("root", "you alone");
  expect(await hub.end("root")).toMatchObject({ status: "TERMINATED", output: "you alone" });
  await hub.passed();
  expect(await hub.status("root.2")).toBe("RUNNING");
  await hub.client.raiseOrchestrationEvent("root.2.1", "go", "went on");
  expect(await hub.end("root.2")).toMatchObject({ status: "COMPLETED", output: "went on" });
  expect(await hub.status("root")).toBe("TERMINATED");
});

test("a termination reaches children if one of several was to", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("parent");
  const first = await worker.item();
  await hub.client.terminateOrchestration("parent", "you alone");
  await hub.client.terminateOrchestration("parent", terminateOptions({ output: "all of you", recursive: true }));
  await hub.client.terminateOrchestration("parent", "you alone");
  await hub.raw.completeEpisode(first, [createChild(1, "child")]);
  const episodes = [await worker.item(), await worker.item()];
  const ofParent = episodes.find((item) => item.orchestratorrequest?.instanceid === "parent")!;
  const ofChild = episodes.find((item) => item.orchestratorrequest?.instanceid === "child")!;
  await hub.raw.completeEpisode(ofParent, [terminated(2)]);
  await hub.raw.completeEpisode(ofChild, []);
  expect((await worker.item()).orchestratorrequest?.neweventsList[1]).toMatchObject({
    executionterminated: { input: { value: '"all of you"' }, recurse: true },
  });
});

test("a termination ends what is scheduled for later, at once", async () => {
  await hub.worker({ orchestrators: { tree } });
  const startAt = new Date(Date.now() + 3_600_000);
  await hub.client.scheduleNewOrchestration("tree", 0, { instanceId: "instance", startAt });
  await hub.client.terminateOrchestration("instance", "never mind");
  expect(await hub.end("instance")).toMatchObject({ status: "TERMINATED", output: "never mind" });
});

test("a termination does not wait for activities, and their results are dropped", async () => {
  const gate = new Gate();
  await hub.worker({ orchestrators: { works }, activities: { gate: gate.activity } });
  await hub.client.scheduleNewOrchestration("works", undefined, "instance");
  await gate.reached;
  await hub.client.terminateOrchestration("instance", "enough");
  expect(await hub.end("instance")).toMatchObject({ status: "TERMINATED" });
  const history = await hub.history("instance");
  gate.open("late");
  await hub.passed();
  expect(await hub.history("instance")).toEqual(history);
});

test("the parent of a terminated instance gets a failure that names it", async () => {
  await hub.worker({ orchestrators: { tree, watches } });
  await hub.client.scheduleNewOrchestration("watches", undefined, "parent");
  await expect.poll(() => hub.status("child")).toBe("RUNNING");
  await hub.client.terminateOrchestration("child", "enough");
  expect(await hub.end("parent")).toMatchObject({
    status: "COMPLETED",
    output: { failed: true, errorType: "OrchestrationTerminated", message: expect.stringContaining("'child'") },
  });
});

test("a termination that comes with a continue-as-new ends the next execution", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("eternal");
  const first = await worker.item();
  await hub.client.raiseOrchestrationEvent("eternal", "go", 1);
  await hub.client.terminateOrchestration("eternal", "enough");
  await hub.raw.completeEpisode(first, []);
  const second = await worker.item();
  expect(second.orchestratorrequest?.neweventsList).toHaveLength(3);
  await hub.raw.completeEpisode(second, [continueAsNew(1, "again")]);
  const next = await worker.item();
  expect(next.orchestratorrequest?.neweventsList.slice(1)).toMatchObject([
    { executionstarted: {} },
    { executionterminated: { input: { value: '"enough"' } } },
  ]);
});

test("an orchestrator terminates another by an action", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("other");
  await hub.raw.completeEpisode(await worker.item(), []);
  await hub.raw.start("instance");
  const terminate = new pb.TerminateOrchestrationAction();
  terminate.setInstanceid("other");
  terminate.setReason(stringValue('"told to"'));
  terminate.setRecurse(true);
  const action = new pb.OrchestratorAction();
  action.setId(1);
  action.setTerminateorchestration(terminate);
  await hub.raw.completeEpisode(await worker.item(), [action, complete(2, "end")]);
  expect((await worker.item()).orchestratorrequest).toMatchObject({
    instanceid: "other",
    neweventsList: [{}, { executionterminated: { input: { value: '"told to"' }, recurse: true } }],
  });
});

test("instances are ended without a worker where nothing of them is to run any more", async () => {
  await hub.client.scheduleNewOrchestration("tree", 0, "one");
  await hub.client.scheduleNewOrchestration("tree", 0, "two");
  const request = new pb.SkipGracefulOrchestrationTerminationsRequest();
  request.setReason(stringValue('"gone"'));
  const batch = new pb.InstanceBatch();
  batch.setInstanceidsList(["one", "nobody", "two"]);
  request.setInstancebatch(batch);
  const response = await hub.raw.call(
    "SkipGracefulOrchestrationTerminations",
    request,
    pb.SkipGracefulOrchestrationTerminationsResponse,
  );
  expect(response.getUnterminatedinstanceidsList()).toEqual(["nobody"]);
  await hub.restart();
  expect(await hub.end("one")).toMatchObject({ status: "TERMINATED", output: "gone" });
  expect(await hub.end("two")).toMatchObject({ status: "TERMINATED", output: "gone" });
  expect(await hub.count("one", HistoryEventType.ExecutionCompleted)).toBe(1);
});

test("what has ended is not terminated, and an unknown instance is refused by its name", async () => {
  await hub.worker({ orchestrators: { ends } });
  await hub.client.scheduleNewOrchestration("ends", undefined, "instance");
  await hub.end("instance");
  await hub.client.terminateOrchestration("instance", "late");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "end" });
  await expect(hub.client.terminateOrchestration("nobody")).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: expect.stringContaining("'nobody'"),
  });
});
