import { status } from "@grpc/grpc-js";
import { HistoryEventType, type OrchestrationContext } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

const echoes = ({ version }: OrchestrationContext, input: unknown): unknown => ({ version, input });

const fails = (): never => {
  throw new Error("failed");
};

async function* waits(context: OrchestrationContext): Steps {
  return yield context.waitForExternalEvent("go");
}

async function* calls(context: OrchestrationContext): Steps {
  return yield context.callSubOrchestrator("echoes", "of the parent", { instanceId: "child" });
}

const work = { orchestrators: { echoes, fails, waits, calls } };
const OPTIONS = { instanceId: "instance", version: "1.5", tags: { team: "red" } };

async function startAndEnd(): Promise<void> {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("echoes", { n: 1 }, OPTIONS);
  await hub.end("instance");
}

async function restartRaw(instanceId: string, withNewId = false): Promise<string> {
  const request = new pb.RestartInstanceRequest();
  request.setInstanceid(instanceId);
  request.setRestartwithnewinstanceid(withNewId);
  return (await hub.raw.call("RestartInstance", request, pb.RestartInstanceResponse)).getInstanceid();
}

test.each(WITH_AND_WITHOUT_RESTART)(
  "an instance is restarted under its id, with all that it was started with%s",
  async (_, restarts) => {
    await startAndEnd();
    const before = await hub.raw.state("instance");
    if (restarts) await hub.restart();
    expect(await hub.client.restartOrchestration("instance")).toBe("instance");
    if (restarts) await hub.restart(work);
    expect(await hub.end("instance")).toMatchObject({
      status: "COMPLETED",
      output: { version: "1.5", input: { n: 1 } },
    });
    const after = await hub.raw.state("instance");
    expect(after).toMatchObject({ name: "echoes", tagsMap: [["team", "red"]], version: { value: "1.5" } });
    expect(after?.executionid).not.toEqual(before?.executionid);
    expect(await hub.count("instance", HistoryEventType.ExecutionStarted)).toBe(1);
  },
);

test.each(WITH_AND_WITHOUT_RESTART)(
  "an instance is restarted under a new id, and stays as it is itself%s",
  async (_, restarts) => {
    await startAndEnd();
    const before = await hub.raw.state("instance");
    const newId = await hub.client.restartOrchestration("instance", true);
    expect(newId).not.toBe("instance");
    if (restarts) await hub.restart(work);
    expect(await hub.end(newId)).toMatchObject({ output: { version: "1.5", input: { n: 1 } } });
    expect(await hub.raw.state(newId)).toMatchObject({ name: "echoes", tagsMap: [["team", "red"]] });
    expect(await hub.raw.state("instance")).toEqual(before);
  },
);

test("what has failed, and what was terminated, is restarted", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("fails", undefined, "failed");
  await hub.end("failed");
  await hub.client.scheduleNewOrchestration("waits", undefined, "terminated");
  await hub.client.terminateOrchestration("terminated");
  await hub.end("terminated");
  await hub.client.restartOrchestration("failed");
  await hub.client.restartOrchestration("terminated");
  await hub.client.raiseOrchestrationEvent("terminated", "go", "this time");
  expect(await hub.end("failed")).toMatchObject({ status: "FAILED", failure: { message: "failed" } });
  expect(await hub.end("terminated")).toMatchObject({ status: "COMPLETED", output: "this time" });
});

test("an instance is restarted again and again", async () => {
  await startAndEnd();
  for (let i = 0; i < 3; i += 1) {
    await hub.client.restartOrchestration("instance");
    expect(await hub.end("instance")).toMatchObject({ output: { version: "1.5", input: { n: 1 } } });
  }
});

test("a restarted sub-orchestration stands for itself", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("calls", undefined, "parent");
  await hub.end("parent");
  await hub.client.restartOrchestration("child");
  expect(await hub.end("child")).toMatchObject({ output: { input: "of the parent" } });
  expect((await hub.raw.state("child"))?.parentinstanceid).toBeUndefined();
});

test("a running instance is not restarted under its id", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("waits", undefined, "instance");
  await expect(restartRaw("instance")).rejects.toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: expect.stringContaining("'instance'"),
  });
  await hub.client.raiseOrchestrationEvent("instance", "go", "went on");
  expect(await hub.end("instance")).toMatchObject({ output: "went on" });
});

test("a running instance is started a second time under a new id", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("waits", undefined, "instance");
  await hub.begun("instance");
  const newId = await restartRaw("instance", true);
  await hub.client.raiseOrchestrationEvent(newId, "go", "the second");
  expect(await hub.end(newId)).toMatchObject({ output: "the second" });
  expect(await hub.status("instance")).toBe("RUNNING");
});

test.each([false, true])("an unknown instance is refused by its name (new id: %s)", async (withNewId) => {
  await expect(restartRaw("nobody", withNewId)).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: expect.stringContaining("'nobody'"),
  });
});
