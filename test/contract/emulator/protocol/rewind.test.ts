import { status } from "@grpc/grpc-js";
import { HistoryEventType, whenAll, type ActivityContext, type OrchestrationContext } from "@microsoft/durabletask-js";
import { beforeEach, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART, type Steps } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

/** The activities that have been called, in order; those in `broken` fail. */
let calls: unknown[] = [];
const broken = new Set<unknown>();

beforeEach(() => {
  calls = [];
  broken.clear();
});

const step = (_: ActivityContext, name: unknown): string => {
  calls.push(name);
  if (broken.has(name)) throw new Error(`${String(name)} is broken`);

  return `${String(name)} done`;
};

async function* steps(context: OrchestrationContext, names: readonly string[]): Steps {
  const results: unknown[] = [];
  for (const name of names) results.push(yield context.callActivity("step", name));

  return results;
}

async function* atOnce(context: OrchestrationContext, names: readonly string[]): Steps {
  return yield whenAll(names.map((name) => context.callActivity("step", name)));
}

/** Each child has a step of its own in front of the one of its name. */
async function* parent(context: OrchestrationContext, children: readonly string[]): Steps {
  yield context.callActivity("step", "prepare");
  return yield whenAll(
    children.map((name) => context.callSubOrchestrator("steps", [`${name}0`, name], { instanceId: name })),
  );
}

async function* grandparent(context: OrchestrationContext, children: readonly string[]): Steps {
  return yield context.callSubOrchestrator("parent", children, { instanceId: "parent" });
}

function decides(): string {
  calls.push("decides");
  if (broken.has("decides")) throw new Error("cannot decide");

  return "decided";
}

async function* waits(context: OrchestrationContext): Steps {
  return yield context.waitForExternalEvent("go");
}

const work = { orchestrators: { steps, atOnce, parent, grandparent, decides, waits }, activities: { step } };

/** Starts it while something is broken, and mends that when it has failed. */
async function fail(name: string, input: unknown, instanceId: string, ...what: string[]): Promise<void> {
  what.forEach((each) => broken.add(each));
  await hub.client.scheduleNewOrchestration(name, input, instanceId);
  expect(await hub.end(instanceId)).toMatchObject({ status: "FAILED" });
  broken.clear();
  calls = [];
}

async function rewindRaw(instanceId: string): Promise<void> {
  const request = new pb.RewindInstanceRequest();
  request.setInstanceid(instanceId);
  await hub.raw.call("RewindInstance", request, pb.RewindInstanceResponse);
}

test("a rewound instance runs again the activity that had failed, and those alone that come behind it", async () => {
  await hub.worker(work);
  await fail("steps", ["one", "two", "three"], "instance", "two");
  await hub.client.rewindInstance("instance", "mended");
  expect(await hub.end("instance")).toMatchObject({
    status: "COMPLETED",
    output: ["one done", "two done", "three done"],
    failure: undefined,
  });
  expect(calls).toEqual(["two", "three"]);
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "a rewound instance runs, and shows nothing of how it had failed%s",
  async (_, restarts) => {
    await hub.worker(work);
    await fail("steps", ["one"], "instance", "one");
    await hub.restart();
    await hub.client.rewindInstance("instance", "mended");
    if (restarts) await hub.restart();
    const state = await hub.raw.state("instance");
    expect(state?.orchestrationstatus).toBe(pb.OrchestrationStatus.ORCHESTRATION_STATUS_RUNNING);
    expect(state?.failuredetails).toBeUndefined();
    expect(state?.completedtimestamp).toBeUndefined();
    await hub.worker(work);
    expect(await hub.end("instance")).toMatchObject({ output: ["one done"] });
  },
);

test("the history tells of the rewind with its reason, once, and of the failure no more", async () => {
  await hub.worker(work);
  await fail("steps", ["one", "two"], "instance", "two");
  const before = await hub.raw.state("instance");
  await hub.client.rewindInstance("instance", "mended");
  await hub.end("instance");
  const history = await hub.raw.history("instance");
  expect(history.flatMap(({ executionrewound }) => executionrewound ?? [])).toMatchObject([
    { reason: { value: "mended" } },
  ]);
  expect(history.some(({ taskfailed }) => taskfailed !== undefined)).toBe(false);
  expect(history.filter(({ executioncompleted }) => executioncompleted !== undefined)).toHaveLength(1);
  const executionId = (await hub.raw.state("instance"))?.executionid;
  expect(executionId).not.toEqual(before?.executionid);
  const [started] = history.flatMap(({ executionstarted }) => executionstarted ?? []);
  expect(started?.orchestrationinstance?.executionid).toEqual(executionId);
});

test("of activities that ran at once only those that had failed run again", async () => {
  await hub.worker(work);
  const names = ["a", "b", "c", "d", "e"];
  await fail("atOnce", names, "instance", "e");
  await hub.client.rewindInstance("instance", "mended");
  expect(await hub.end("instance")).toMatchObject({ output: names.map((name) => `${name} done`) });
  expect(calls).toContain("e");
});

test("an orchestrator that had failed by itself decides anew", async () => {
  await hub.worker(work);
  await fail("decides", undefined, "instance", "decides");
  await hub.client.rewindInstance("instance", "mended");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED", output: "decided" });
});

test.each(WITH_AND_WITHOUT_RESTART)("an instance is rewound again and again%s", async (_, restarts) => {
  await hub.worker(work);
  await fail("steps", ["one", "two", "three"], "instance", "one");
  for (const next of ["two", "three"]) {
    broken.add(next);
    await hub.client.rewindInstance("instance", `for ${next}`);
    expect(await hub.end("instance")).toMatchObject({ status: "FAILED" });
    broken.clear();
    if (restarts) await hub.restart(work);
  }
  calls = [];
  await hub.client.rewindInstance("instance", "at last");
  expect(await hub.end("instance")).toMatchObject({ output: ["one done", "two done", "three done"] });
  expect(calls).toEqual(["three"]);
  const reasons = (await hub.raw.history("instance")).flatMap((event) => event.executionrewound?.reason?.value ?? []);
  expect(reasons).toEqual(["for two", "for three", "at last"]);
});

test("an instance that is not mended fails again when it is rewound", async () => {
  await hub.worker(work);
  await fail("steps", ["one"], "instance", "one");
  broken.add("one");
  await hub.client.rewindInstance("instance", "in vain");
  expect(await hub.end("instance")).toMatchObject({
    status: "FAILED",
    failure: { message: expect.stringContaining("one is broken") },
  });
  expect(calls).toEqual(["one"]);
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "the sub-orchestrations that had failed are rewound, and those alone%s",
  async (_, restarts) => {
    await hub.worker(work);
    await fail("parent", ["good", "bad"], "parent", "bad");
    await hub.end("good");
    calls = [];
    if (restarts) await hub.restart();
    await hub.client.rewindInstance("parent", "mended");
    if (restarts) await hub.restart(work);
    expect(await hub.end("parent")).toMatchObject({
      status: "COMPLETED",
      output: [
        ["good0 done", "good done"],
        ["bad0 done", "bad done"],
      ],
    });
    expect(calls).toEqual(["bad"]);
    const [told] = (await hub.raw.history("bad")).flatMap((event) => event.executionrewound ?? []);
    const executionId = (await hub.raw.state("parent"))?.executionid;
    expect(told).toMatchObject({ reason: { value: "mended" }, parentexecutionid: executionId });
    const [started] = (await hub.raw.history("bad")).flatMap((event) => event.executionstarted ?? []);
    expect(started?.parentinstance?.orchestrationinstance?.executionid).toEqual(executionId);
    expect(await hub.count("good", HistoryEventType.ExecutionRewound)).toBe(0);
  },
);

test("a rewind goes down to grandchildren", async () => {
  await hub.worker(work);
  await fail("grandparent", ["good", "bad"], "instance", "bad");
  await hub.client.rewindInstance("instance", "mended");
  expect(await hub.end("instance")).toMatchObject({ status: "COMPLETED" });
  expect(await hub.end("parent")).toMatchObject({ status: "COMPLETED" });
  expect(calls).toContain("bad");
  expect(calls).not.toContain("prepare");
});

test.each(WITH_AND_WITHOUT_RESTART)("a sub-orchestration that was purged is started anew%s", async (_, restarts) => {
  await hub.worker(work);
  await fail("parent", ["bad"], "parent", "bad");
  await hub.client.purgeOrchestration("bad");
  if (restarts) await hub.restart(work);
  await hub.client.rewindInstance("parent", "mended");
  expect(await hub.end("parent")).toMatchObject({ status: "COMPLETED", output: [["bad0 done", "bad done"]] });
  expect(calls).toEqual(["bad0", "bad"]);
  expect(await hub.raw.state("bad")).toMatchObject({ parentinstanceid: { value: "parent" } });
});

test("a sub-orchestration that was rewound by itself brings its result to its parent's rewind", async () => {
  await hub.worker(work);
  await fail("parent", ["bad"], "parent", "bad");
  await hub.client.rewindInstance("bad", "the child first");
  expect(await hub.end("bad")).toMatchObject({ status: "COMPLETED" });
  expect(await hub.status("parent")).toBe("FAILED");
  await hub.client.rewindInstance("parent", "then the parent");
  expect(await hub.end("parent")).toMatchObject({ status: "COMPLETED", output: [["bad0 done", "bad done"]] });
  expect(calls).toEqual(["bad"]);
});

test("only what has failed is rewound", async () => {
  await hub.worker(work);
  await hub.client.scheduleNewOrchestration("decides", undefined, "completed");
  await hub.end("completed");
  await hub.client.scheduleNewOrchestration("waits", undefined, "running");
  await hub.client.scheduleNewOrchestration("waits", undefined, "terminated");
  await hub.client.terminateOrchestration("terminated");
  await hub.end("terminated");
  for (const id of ["completed", "running", "terminated"]) {
    await expect(rewindRaw(id)).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
      details: expect.stringContaining(`'${id}'`),
    });
  }
  await expect(rewindRaw("nobody")).rejects.toMatchObject({
    code: status.NOT_FOUND,
    details: expect.stringContaining("'nobody'"),
  });
});
