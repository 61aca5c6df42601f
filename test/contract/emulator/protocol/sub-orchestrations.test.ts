import {
  HistoryEventType,
  TaskFailedError,
  whenAll,
  type OrchestrationContext,
  type SubOrchestrationOptions,
} from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { complete, stringValue } from "../../../support/emulator/raw-connection.js";
import { createChild } from "../../../support/emulator/protocol-actions.js";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

async function* square(context: OrchestrationContext, n: number): Steps {
  return yield context.callActivity("square", n);
}

async function* waits(context: OrchestrationContext): Steps {
  return yield context.waitForExternalEvent("go");
}

const tells = ({ version, parent, instanceId }: OrchestrationContext): unknown => ({ version, parent, instanceId });

const fails = (_: OrchestrationContext, message: string): never => {
  const error = new Error(message, { cause: new RangeError("too far") });
  error.name = "PaymentRefused";
  throw error;
};

interface Call {
  readonly name: string;
  readonly input?: unknown;
  readonly options?: SubOrchestrationOptions;
}

/** Its output is that of the sub-orchestration. */
async function* calls(context: OrchestrationContext, { name, input, options }: Call): Steps {
  return yield context.callSubOrchestrator(name, input, options);
}

/** The same, or how that has failed. */
async function* catches(context: OrchestrationContext, { name, input, options }: Call): Steps {
  try {
    return yield context.callSubOrchestrator(name, input, options);
  } catch (error) {
    const { errorType, message } = (error as TaskFailedError).details;
    return { caught: error instanceof TaskFailedError, errorType, message };
  }
}

async function* nests(context: OrchestrationContext, depth: number): Steps {
  const below = depth === 0 ? 0 : yield context.callSubOrchestrator("nests", depth - 1);
  return Number(below) + 1;
}

async function* fansOut(context: OrchestrationContext, width: number): Steps {
  return yield whenAll(Array.from({ length: width }, (_, n) => context.callSubOrchestrator("square", n)));
}

const forgets = (context: OrchestrationContext): string => {
  context.callSubOrchestrator("waits", undefined, { instanceId: "child" });
  return "gone";
};

async function* countsDown(context: OrchestrationContext, n: number): Steps {
  if (n > 0) {
    context.continueAsNew(n - 1, false);
    return undefined;
  }
  return yield context.callActivity("square", context.parent?.instanceId === "parent" ? 3 : 0);
}

/** Leaves a sub-orchestration behind, and waits for another that has the same number in its next execution. */
async function* movesOn(context: OrchestrationContext, round: number): Steps {
  const child = context.callSubOrchestrator("waits", undefined, { instanceId: `child-${round}` });
  if (round === 0) {
    context.continueAsNew(1, false);
    return undefined;
  }
  return yield child;
}

const work = {
  orchestrators: {
    square,
    waits,
    tells,
    fails,
    calls,
    catches,
    nests,
    fansOut,
    forgets,
    countsDown,
    movesOn,
  },
  activities: { square: (_: unknown, n: unknown) => Number(n) ** 2 },
};

async function start(name: string, input: unknown, instanceId = "parent"): Promise<void> {
  await hub.client.scheduleNewOrchestration(name, input, instanceId);
}

test("a sub-orchestration brings its result to the one that called it", async () => {
  await hub.worker(work);
  await start("calls", { name: "square", input: 7 });
  expect(await hub.end("parent")).toMatchObject({ status: "COMPLETED", output: 49 });
});

test.each(WITH_AND_WITHOUT_RESTART)("a sub-orchestration's result waits for its parent%s", async (_, restarts) => {
  await hub.worker(work);
  await start("calls", { name: "waits", options: { instanceId: "child" } });
  await expect.poll(() => hub.status("child")).toBe("RUNNING");
  if (restarts) await hub.restart(work);
  await hub.client.suspendOrchestration("parent");
  await hub.client.raiseOrchestrationEvent("child", "go", "result");
  expect(await hub.end("child")).toMatchObject({ output: "result" });
  if (restarts) await hub.restart(work);
  expect(await hub.status("parent")).toBe("SUSPENDED");
  await hub.client.resumeOrchestration("parent");
  expect(await hub.end("parent")).toMatchObject({ output: "result" });
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "a sub-orchestration that no worker has begun waits for one%s",
  async (_, restarts) => {
    const worker = await hub.raw.worker();
    await hub.raw.start("parent");
    await hub.raw.completeEpisode(await worker.item(), [createChild(1, "child", "tells")]);
    if (restarts) await hub.restart();
    const next = restarts ? await hub.raw.worker() : worker;
    const child = await next.item();
    expect(child.orchestratorrequest?.instanceid).toBe("child");
    await hub.raw.completeEpisode(child, [complete(1, "result")]);
    const parent = await next.item();
    expect(parent.orchestratorrequest?.neweventsList[1]).toMatchObject({
      suborchestrationinstancecompleted: { taskscheduledid: 1, result: { value: '"result"' } },
    });
  },
);

test("a sub-orchestration knows who called it, and its state says so", async () => {
  await hub.worker(work);
  await start("calls", { name: "tells", options: { instanceId: "child" } });
  expect((await hub.end("parent")).output).toEqual({
    version: "",
    instanceId: "child",
    parent: { name: "calls", instanceId: "parent", taskScheduledId: 1 },
  });
  expect(await hub.raw.state("child")).toMatchObject({ parentinstanceid: { value: "parent" } });
  expect((await hub.raw.state("parent"))?.parentinstanceid).toBeUndefined();
});

test("a sub-orchestration has the tags and the version it was called with", async () => {
  await hub.worker(work);
  await start("calls", { name: "tells", options: { instanceId: "child", version: "2.1", tags: { team: "red" } } });
  expect((await hub.end("parent")).output).toMatchObject({ version: "2.1" });
  const state = await hub.client.getOrchestrationState("child");
  expect(state?.tags).toEqual({ team: "red" });
  expect(await hub.raw.state("child")).toMatchObject({ version: { value: "2.1" }, tagsMap: [["team", "red"]] });
  const [created] = (await hub.raw.history("parent")).flatMap((event) => event.suborchestrationinstancecreated ?? []);
  expect(created).toMatchObject({ name: "tells", version: { value: "2.1" }, tagsMap: [["team", "red"]] });
});

test("the failure of a sub-orchestration comes whole", async () => {
  await hub.worker(work);
  await start("catches", { name: "fails", input: "no money", options: { instanceId: "child" } });
  expect((await hub.end("parent")).output).toEqual({ caught: true, errorType: "PaymentRefused", message: "no money" });
  const failures = (await hub.raw.history("parent")).flatMap((event) => event.suborchestrationinstancefailed ?? []);
  expect(failures).toMatchObject([
    {
      taskscheduledid: 1,
      failuredetails: {
        errortype: "PaymentRefused",
        errormessage: "no money",
        stacktrace: { value: expect.stringContaining("PaymentRefused") },
        innerfailure: { errortype: "RangeError", errormessage: "too far" },
      },
    },
  ]);
});

test("a parent that does not catch the failure of a sub-orchestration fails with it", async () => {
  await hub.worker(work);
  await start("calls", { name: "fails", input: "no money" });
  expect(await hub.end("parent")).toMatchObject({
    status: "FAILED",
    failure: { errorType: "TaskFailedError", message: expect.stringContaining("no money") },
  });
});

test("a sub-orchestration that no worker knows fails, and its parent hears of it", async () => {
  await hub.worker(work);
  await start("catches", { name: "unheardOf" });
  expect((await hub.end("parent")).output).toMatchObject({ message: expect.stringContaining("unheardOf") });
});

test("sub-orchestrations nest", async () => {
  await hub.worker(work);
  await start("nests", 10);
  expect(await hub.end("parent")).toMatchObject({ output: 11 });
});

test("fifty sub-orchestrations bring fifty results, in their order", async () => {
  await hub.worker(work);
  await start("fansOut", 50);
  const { output } = await hub.end("parent");
  expect(output).toEqual(Array.from({ length: 50 }, (_, n) => n ** 2));
  expect(await hub.count("parent", HistoryEventType.SubOrchestrationInstanceCompleted)).toBe(50);
});

test("a sub-orchestration keeps its parent when it continues as new", async () => {
  await hub.worker(work);
  await start("calls", { name: "countsDown", input: 3, options: { instanceId: "child" } });
  expect(await hub.end("parent")).toMatchObject({ output: 9 });
  expect(await hub.raw.state("child")).toMatchObject({ parentinstanceid: { value: "parent" } });
});

test("the end of a sub-orchestration of an earlier execution is not that of another in the next one", async () => {
  await hub.worker(work);
  await start("movesOn", 0);
  await expect.poll(() => hub.status("child-1")).toBe("RUNNING");
  await hub.client.raiseOrchestrationEvent("child-0", "go", "of the first");
  expect(await hub.end("child-0")).toMatchObject({ output: "of the first" });
  await hub.passed();
  expect(await hub.status("parent")).toBe("RUNNING");
  await hub.client.raiseOrchestrationEvent("child-1", "go", "of the second");
  expect(await hub.end("parent")).toMatchObject({ output: "of the second" });
});

test.each(WITH_AND_WITHOUT_RESTART)("a sub-orchestration outlives its parent%s", async (_, restarts) => {
  await hub.worker(work);
  await start("forgets", undefined);
  expect(await hub.end("parent")).toMatchObject({ output: "gone" });
  if (restarts) await hub.restart(work);
  await hub.client.raiseOrchestrationEvent("child", "go", "alone");
  expect(await hub.end("child")).toMatchObject({ output: "alone" });
  expect(await hub.raw.state("child")).toMatchObject({ parentinstanceid: { value: "parent" } });
});

test("the input of a sub-orchestration arrives as it was sent", async () => {
  const worker = await hub.raw.worker();
  await hub.raw.start("parent");
  const action = createChild(1, "child");
  action.getCreatesuborchestration()!.setInput(stringValue('{"exact" : 1.0}'));
  await hub.raw.completeEpisode(await worker.item(), [action]);
  const [, started] = (await worker.item()).orchestratorrequest?.neweventsList ?? [];
  expect(started?.executionstarted).toMatchObject({
    name: "Child",
    input: { value: '{"exact" : 1.0}' },
    orchestrationinstance: { instanceid: "child" },
    parentinstance: {
      taskscheduledid: 1,
      name: { value: "Orchestrator" },
      orchestrationinstance: { instanceid: "parent" },
    },
  });
});
