import { TaskFailedError, type OrchestrationContext, type SubOrchestrationOptions } from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { createChild } from "../../../support/emulator/protocol-actions.js";
import { ProtocolHub, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* waits(context: OrchestrationContext): Steps {
  return yield context.waitForExternalEvent("go");
}

const tells = ({ instanceId }: OrchestrationContext): unknown => ({ instanceId });

interface Call {
  readonly name: string;
  readonly options?: SubOrchestrationOptions;
}

/** Its output is that of the sub-orchestration, or how that has failed. */
async function* calls(context: OrchestrationContext, { name, options }: Call): Steps {
  try {
    return yield context.callSubOrchestrator(name, undefined, options);
  } catch (error) {
    const { errorType, message } = (error as TaskFailedError).details;
    return { caught: error instanceof TaskFailedError, errorType, message };
  }
}

async function* twiceTheSame(context: OrchestrationContext): Steps {
  const first = context.callSubOrchestrator("waits", undefined, { instanceId: "child" });
  const second = context.callSubOrchestrator("waits", undefined, { instanceId: "child" });
  try {
    yield second;
  } catch {
    context.sendEvent("child", "go", "only one");
  }
  return yield first;
}

const work = { orchestrators: { waits, tells, calls, twiceTheSame } };

async function start(name: string, input: unknown, instanceId = "parent"): Promise<void> {
  await hub.client.scheduleNewOrchestration(name, input, instanceId);
}

test("a sub-orchestration without an id of its own gets one from the execution that calls it", async () => {
  await hub.worker(work);
  await start("calls", { name: "tells" });
  const executionId = (await hub.raw.state("parent"))?.executionid?.value;
  expect((await hub.end("parent")).output).toMatchObject({ instanceId: `${executionId}:0001` });
});

test("a sub-orchestration whose id is left to the emulator gets one", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("parent");
  await hub.raw.completeEpisode(await worker.item(), [createChild(1), createChild(2)]);
  const ids = [await worker.item(), await worker.item()].map((item) => item.orchestratorrequest?.instanceid);
  const created = (await hub.raw.history("parent")).flatMap(
    ({ suborchestrationinstancecreated }) => suborchestrationinstancecreated?.instanceid ?? [],
  );
  expect(new Set(ids).size).toBe(2);
  expect(created).toEqual(ids);
});

test("the id of an instance that runs is a failure of the task, and leaves that instance alone", async () => {
  await hub.worker(work);
  await start("waits", undefined, "taken");
  await start("calls", { name: "tells", options: { instanceId: "taken" } });
  expect((await hub.end("parent")).output).toMatchObject({
    errorType: "OrchestrationAlreadyExists",
    message: expect.stringContaining("'taken'"),
  });
  await hub.client.raiseOrchestrationEvent("taken", "go", "went on");
  expect(await hub.end("taken")).toMatchObject({ output: "went on" });
});

test("an orchestration that calls itself by its own id gets a failure", async () => {
  await hub.worker(work);
  await start("calls", { name: "tells", options: { instanceId: "parent" } });
  expect((await hub.end("parent")).output).toMatchObject({ errorType: "OrchestrationAlreadyExists" });
});

test("of two sub-orchestrations with one id the second is the failure", async () => {
  await hub.worker(work);
  await start("twiceTheSame", undefined);
  expect(await hub.end("parent")).toMatchObject({ status: "COMPLETED", output: "only one" });
});

test("an instance that has ended makes room for a sub-orchestration of its id", async () => {
  await hub.worker(work);
  await start("tells", undefined, "child");
  expect((await hub.end("child")).output).toEqual({ instanceId: "child" });
  await start("calls", { name: "tells", options: { instanceId: "child" } });
  expect((await hub.end("parent")).output).toEqual({ instanceId: "child" });
  expect(await hub.raw.state("child")).toMatchObject({ parentinstanceid: { value: "parent" } });
});
