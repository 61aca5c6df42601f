import { status } from "@grpc/grpc-js";
import type { OrchestrationContext, TaskFailedError } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { stringValue } from "../../../support/emulator/raw-connection.js";
import { Gate, ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

const { ORCHESTRATION_STATUS_COMPLETED: COMPLETED, ORCHESTRATION_STATUS_FAILED: FAILED } = pb.OrchestrationStatus;
const { ORCHESTRATION_STATUS_CANCELED: CANCELED } = pb.OrchestrationStatus;
const { ORCHESTRATION_STATUS_RUNNING: RUNNING, ORCHESTRATION_STATUS_PENDING: PENDING } = pb.OrchestrationStatus;
const { ORCHESTRATION_STATUS_TERMINATED: TERMINATED, ORCHESTRATION_STATUS_SUSPENDED: SUSPENDED } =
  pb.OrchestrationStatus;

type Status = (typeof pb.OrchestrationStatus)[keyof typeof pb.OrchestrationStatus];

const ends = (_: OrchestrationContext, input: string): string => `end of ${input}`;
const fails = (): never => {
  throw new Error("failed");
};
async function* waits(context: OrchestrationContext): Steps {
  return yield context.waitForExternalEvent("go");
}
async function* works(context: OrchestrationContext): Steps {
  return yield context.callActivity("gate");
}
async function* calls(context: OrchestrationContext): Steps {
  try {
    return yield context.callSubOrchestrator("waits", undefined, { instanceId: "instance" });
  } catch (error) {
    return (error as TaskFailedError).details.errorType;
  }
}

const work = { orchestrators: { ends, fails, waits, works, calls } };

/** Starts "instance" anew as `ends` of "the second", where what is there has one of these statuses. */
async function startOver(...replaceable: Status[]): Promise<void> {
  await hub.raw.start("instance", "ends", (request) => {
    request.setInput(stringValue('"the second"'));
    const policy = new pb.OrchestrationIdReusePolicy();
    policy.setReplaceablestatusList(replaceable);
    request.setOrchestrationidreusepolicy(policy);
  });
}

/** The same with the policy of older clients, which has an action behind the statuses. */
async function startOverAsBefore(statuses: readonly Status[], action: number): Promise<void> {
  const request = new pb.CreateInstanceRequest();
  request.setInstanceid("instance");
  request.setName("ends");
  request.setInput(stringValue('"the second"'));
  const policy = Buffer.from([...statuses.flatMap((status) => [0x08, status]), 0x10, action]);
  const bytes = Buffer.concat([request.serializeBinary(), Buffer.from([0x32, policy.length]), policy]);
  await hub.raw.call("StartInstance", bytes, pb.CreateInstanceResponse);
}

const ALREADY_EXISTS = { code: status.ALREADY_EXISTS, details: expect.stringContaining("'instance'") };

test.each(WITH_AND_WITHOUT_RESTART)("without a policy what has ended makes room%s", async (_, restarts) => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("fails", "the first", "instance");
  await hub.end("instance");
  const before = await hub.raw.state("instance");
  if (restarts) await hub.restart(work);
  await hub.client.scheduleNewOrchestration("ends", "the second", "instance");
  expect(await hub.end("instance")).toMatchObject({ output: "end of the second", failure: undefined });
  expect((await hub.raw.state("instance"))?.executionid).not.toEqual(before?.executionid);
});

test("without a policy an id is taken by what has not ended", async () => {
  const again = (): Promise<string> => hub.client.scheduleNewOrchestration("ends", "the second", "instance");
  await hub.client.scheduleNewOrchestration("waits", "the first", "instance");
  await expect(again()).rejects.toMatchObject(ALREADY_EXISTS);
  await hub.worker(work);
  await hub.begun("instance");
  await expect(again()).rejects.toMatchObject(ALREADY_EXISTS);
  await hub.client.suspendOrchestration("instance");
  await expect(again()).rejects.toMatchObject(ALREADY_EXISTS);
  expect(await hub.status("instance")).toBe("SUSPENDED");
});

test.each([
  ["Running, Pending", "a running", [RUNNING, PENDING, COMPLETED, FAILED]],
  ["Suspended", "a suspended", [COMPLETED, FAILED, CANCELED, SUSPENDED]],
  ["Running", "a running", [RUNNING]],
])("a policy with %s and without Terminated is refused, and %s instance untouched", async (names, kind, statuses) => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("waits", "the first", "instance");
  await hub.begun("instance");
  if (kind === "a suspended") await hub.client.suspendOrchestration("instance");
  const before = await hub.raw.state("instance");
  await expect(startOver(...statuses)).rejects.toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining(
      "Invalid reusable statuses: cannot exclude 'Terminated' while also allowing reuse of running instances " +
        `(${names})`,
    ),
  });
  expect(await hub.raw.state("instance")).toEqual(before);
});

test("a policy changes nothing for an id that is free", async () => {
  await hub.worker(work);
  await startOver(COMPLETED, RUNNING, TERMINATED);
  expect(await hub.end("instance")).toMatchObject({ output: "end of the second" });
});

test.each(WITH_AND_WITHOUT_RESTART)("an instance of a status on the list is replaced%s", async (_, restarts) => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("fails", "the first", "instance");
  await hub.end("instance");
  const before = await hub.raw.state("instance");
  if (restarts) await hub.restart(work);
  await startOver(COMPLETED, FAILED);
  expect(await hub.end("instance")).toMatchObject({ output: "end of the second", failure: undefined });
  if (restarts) await hub.restart();
  const after = await hub.raw.state("instance");
  expect(after?.name).toBe("ends");
  expect(after?.executionid).not.toEqual(before?.executionid);
  expect((await hub.raw.history("instance")).filter((event) => event.executionstarted !== undefined)).toHaveLength(1);
});

test("an instance of a status that is not on the list is not replaced", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("fails", "the first", "instance");
  await hub.end("instance");
  await expect(startOver(COMPLETED, TERMINATED, RUNNING)).rejects.toMatchObject(ALREADY_EXISTS);
  await expect(startOver()).rejects.toMatchObject(ALREADY_EXISTS);
  expect(await hub.status("instance")).toBe("FAILED");
});

test("a running instance is replaced, and what it had under way is for nothing", async () => {
  const gate = new Gate();
  await hub.worker({ ...work, activities: { gate: gate.activity } });
  await hub.client.scheduleNewOrchestration("works", "the first", "instance");
  await gate.reached;
  await startOver(RUNNING, TERMINATED);
  gate.open("of the first");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "end of the second" });
  expect((await hub.raw.history("instance")).some((event) => event.taskcompleted !== undefined)).toBe(false);
});

test("an instance in the place of another is another execution, whatever id was asked for", async () => {
  const start = (): Promise<unknown> =>
    hub.raw.start("instance", "ends", (request) => {
      const policy = new pb.OrchestrationIdReusePolicy();
      policy.setReplaceablestatusList([PENDING, TERMINATED]);
      request.setOrchestrationidreusepolicy(policy);
      request.setExecutionid(stringValue("chosen"));
    });
  await start();
  expect((await hub.raw.state("instance"))?.executionid?.value).toBe("chosen");
  await start();
  expect((await hub.raw.state("instance"))?.executionid?.value).not.toBe("chosen");
});

test("a running instance that is not to be replaced goes on", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("waits", "the first", "instance");
  await hub.begun("instance");
  await expect(startOver(COMPLETED, PENDING, TERMINATED)).rejects.toMatchObject(ALREADY_EXISTS);
  await hub.client.raiseOrchestrationEvent("instance", "go", "went on");
  expect(await hub.end("instance")).toMatchObject({ output: "went on" });
});

test.each([
  ["pending", PENDING],
  ["suspended", SUSPENDED],
])("a %s instance is replaced before a worker has seen it", async (_, replaceable) => {
  await hub.client.scheduleNewOrchestration("fails", "the first", "instance");
  if (replaceable === SUSPENDED) await hub.client.suspendOrchestration("instance");
  await startOver(replaceable, TERMINATED);
  await hub.worker(work);
  expect(await hub.end("instance")).toMatchObject({ output: "end of the second" });
});

test("who waits for the end of an instance gets that of the one in its place", async () => {
  await hub.client.scheduleNewOrchestration("fails", "the first", "instance");
  const end = hub.end("instance");
  await startOver(PENDING, TERMINATED);
  await hub.worker(work);
  expect(await end).toMatchObject({ output: "end of the second" });
});

test("the parent of an instance that is replaced hears that it was terminated", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("calls", undefined, "parent");
  await expect.poll(() => hub.status("instance")).toBe("RUNNING");
  await startOver(RUNNING, TERMINATED);
  expect(await hub.end("parent")).toMatchObject({ output: "OrchestrationTerminated" });
  expect(await hub.end("instance")).toMatchObject({ output: "end of the second" });
});

test("an older policy that says ignore keeps the instance and answers as if it had started", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("ends", "the first", "instance");
  await hub.end("instance");
  await startOverAsBefore([COMPLETED], 1);
  expect(await hub.end("instance")).toMatchObject({ output: "end of the first" });
  await expect(startOverAsBefore([RUNNING], 1)).rejects.toMatchObject(ALREADY_EXISTS);
});

test("an older policy that says terminate replaces the instance", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("waits", "the first", "instance");
  await hub.begun("instance");
  await startOverAsBefore([RUNNING], 2);
  expect(await hub.end("instance")).toMatchObject({ output: "end of the second" });
});

test("a policy with an action that is none is refused", async () => {
  await expect(startOverAsBefore([RUNNING], 3)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  expect(await hub.status("instance")).toBe("none");
});
