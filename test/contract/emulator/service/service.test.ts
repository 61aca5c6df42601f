import { status } from "@grpc/grpc-js";
import {
  OrchestrationStatus,
  RetryPolicy,
  whenAll,
  type OrchestrationContext,
  type OrchestrationState,
  type Task,
  type TaskHubGrpcClient,
} from "@microsoft/durabletask-js";
import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  continueAsNew,
  scheduleTask,
  stringValue,
  timestampOf,
  type RawConnection,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator, type Workload } from "../../../support/emulator/served-emulator.js";

/** Activities that failed so often already, by the key that they were given. */
const attempts = new Map<string, number>();
/** Lets go what waits in the activity "wait", by key. */
const gates = new Map<string, PromiseWithResolvers<unknown>>();

const WORKLOAD: Workload = {
  orchestrators: {
    echo: (_context, input: unknown) => input,
    async *square(context: OrchestrationContext, input: number): AsyncGenerator<Task<unknown>, unknown, unknown> {
      return yield context.callActivity("square", input);
    },
    async *fanOut(context: OrchestrationContext, width: number): AsyncGenerator<Task<unknown>, unknown, unknown> {
      const tasks = Array.from({ length: width }, (_, n) => context.callActivity("square", n));
      return yield whenAll(tasks);
    },
    async *retries(context: OrchestrationContext, key: string): AsyncGenerator<Task<unknown>, unknown, unknown> {
      const retry = new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 5 });
      return yield context.callActivity("failTwice", key, { retry });
    },
    async *fails(context: OrchestrationContext, key: string): AsyncGenerator<Task<unknown>, unknown, unknown> {
      return yield context.callActivity("failTwice", key);
    },
    async *timer(context: OrchestrationContext, delayMs: number): AsyncGenerator<Task<unknown>, unknown, unknown> {
      const before = context.currentUtcDateTime.getTime();
      yield context.createTimer(new Date(before + delayMs));
      return context.currentUtcDateTime.getTime() - before;
    },
    throws: () => {
      throw new TypeError("not today");
    },
    async *reports(context: OrchestrationContext): AsyncGenerator<Task<unknown>, unknown, unknown> {
      context.setCustomStatus({ step: 1 });
      yield context.callActivity("wait", context.instanceId);
      context.setCustomStatus({ step: 2 });
      return "done";
    },
    async *countDown(context: OrchestrationContext, n: number): AsyncGenerator<Task<unknown>, unknown, unknown> {
      const square = yield context.callActivity("square", n);
      if (n === 0) return square;

      context.continueAsNew(n - 1, true);
      return undefined;
    },
    async *waits(context: OrchestrationContext): AsyncGenerator<Task<unknown>, unknown, unknown> {
      return yield context.callActivity("wait", context.instanceId);
    },
  },
  activities: {
    square: (_context, input) => (input as number) ** 2,
    failTwice: (_context, input) => {
      const key = input as string;
      const failed = attempts.get(key) ?? 0;
      attempts.set(key, failed + 1);
      if (failed < 2) throw new RangeError(`attempt ${failed + 1} of ${key}`);

      return "at last";
    },
    wait: (_context, input) => gate(input as string).promise,
  },
};

function gate(key: string): PromiseWithResolvers<unknown> {
  const there = gates.get(key) ?? Promise.withResolvers<unknown>();
  gates.set(key, there);
  return there;
}

let served: ServedEmulator;
let client: TaskHubGrpcClient;
let raw: RawConnection;

beforeAll(async () => {
  served = await ServedEmulator.start();
  await served.worker(WORKLOAD);
  client = served.client();
  raw = served.connect();
});

afterAll(() => {
  served.close();
});

async function run(name: string, input?: unknown, instanceId?: string): Promise<OrchestrationState> {
  const id = await client.scheduleNewOrchestration(name, input, instanceId);
  return (await client.waitForOrchestrationCompletion(id, true, 10))!;
}

describe("an instance", () => {
  test("is started, runs and is read with its payloads", async () => {
    const ended = await run("square", 12, "square-12");
    expect(ended).toMatchObject({
      instanceId: "square-12",
      name: "square",
      runtimeStatus: OrchestrationStatus.COMPLETED,
      serializedInput: "12",
      serializedOutput: "144",
    });
    expect(ended.lastUpdatedAt.getTime()).toBeGreaterThanOrEqual(ended.createdAt.getTime());
    expect(await client.getOrchestrationState("square-12", true)).toEqual(ended);
    const slim = await client.getOrchestrationState("square-12", false);
    expect([slim?.serializedInput, slim?.serializedOutput]).toEqual([undefined, undefined]);
    const state = (await raw.state("square-12"))!;
    expect(state.completedtimestamp).toEqual(state.lastupdatedtimestamp);
  });

  test("gets an id if it was given none", async () => {
    const [first, second] = await Promise.all([
      client.scheduleNewOrchestration("echo", 1),
      client.scheduleNewOrchestration("echo", 1),
    ]);
    expect(first).not.toBe("");
    expect(second).not.toBe(first);
  });

  test("is refused by name if its id is taken", async () => {
    await raw.start("taken", "echo", (request) => {
      request.setScheduledstarttimestamp(timestampOf(Date.now() + 3_600_000));
    });
    await expect(raw.start("taken", "echo")).rejects.toMatchObject({
      code: status.ALREADY_EXISTS,
      details: expect.stringContaining("'taken'") as string,
    });
  });

  test("needs the name of an orchestrator", async () => {
    await expect(raw.start("nameless", "")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  test("that does not exist is told so at once by every wait", async () => {
    expect(await client.getOrchestrationState("nobody", true)).toBeUndefined();
    for (const method of ["WaitForInstanceStart", "WaitForInstanceCompletion"]) {
      const request = new pb.GetInstanceRequest();
      request.setInstanceid("nobody");
      expect((await raw.call(method, request, pb.GetInstanceResponse)).toObject()).toMatchObject({ exists: false });
    }
  });

  test("is waited for until it starts, then until it ends", async () => {
    await client.scheduleNewOrchestration("waits", undefined, "waited-for");
    const started = await client.waitForOrchestrationStart("waited-for", false, 10);
    expect(started?.runtimeStatus).toBe(OrchestrationStatus.RUNNING);
    const waiting = client.waitForOrchestrationCompletion("waited-for", true, 10);
    gate("waited-for").resolve("now");
    expect(await waiting).toMatchObject({ runtimeStatus: OrchestrationStatus.COMPLETED, serializedOutput: '"now"' });
  });

  test("has every result of a fan-out of 100 once", async () => {
    const ended = await run("fanOut", 100, "fan-out");
    expect(JSON.parse(ended.serializedOutput!)).toEqual(Array.from({ length: 100 }, (_, n) => n * n));
    const history = await raw.history("fan-out");
    const results = history.flatMap(({ taskcompleted }) => taskcompleted?.taskscheduledid ?? []);
    expect(new Set(results).size).toBe(100);
    expect(results).toHaveLength(100);
    expect(history.filter(({ taskscheduled }) => taskscheduled !== undefined)).toHaveLength(100);
  });

  test("tries an activity again after the timers of its retry policy", async () => {
    const ended = await run("retries", "retried");
    expect(ended).toMatchObject({ runtimeStatus: OrchestrationStatus.COMPLETED, serializedOutput: '"at last"' });
    expect(attempts.get("retried")).toBe(3);
    const history = await raw.history(ended.instanceId);
    expect(history.filter(({ timerfired }) => timerfired !== undefined)).toHaveLength(2);
  });

  test("fails with the failure of its activity", async () => {
    const ended = await run("fails", "failing");
    expect(ended.runtimeStatus).toBe(OrchestrationStatus.FAILED);
    expect(ended.failureDetails?.message).toContain("attempt 1 of failing");
  });

  test("is woken by its timer, not before it is due", async () => {
    const ended = await run("timer", 60);
    expect(Number(ended.serializedOutput)).toBeGreaterThanOrEqual(60);
  });

  test("whose orchestrator throws is failed, with the error's type and message", async () => {
    const ended = await run("throws");
    expect(ended.runtimeStatus).toBe(OrchestrationStatus.FAILED);
    expect(ended.failureDetails).toMatchObject({ errorType: "TypeError", message: "not today" });
  });

  test("shows its custom status while it runs and when it has ended", async () => {
    await client.scheduleNewOrchestration("reports", undefined, "reporting");
    await client.waitForOrchestrationStart("reporting", false, 10);
    const running = await client.getOrchestrationState("reporting", true);
    expect(running).toMatchObject({ runtimeStatus: OrchestrationStatus.RUNNING, serializedCustomStatus: '{"step":1}' });
    gate("reporting").resolve(null);
    const ended = await client.waitForOrchestrationCompletion("reporting", true, 10);
    expect(ended).toMatchObject({ serializedOutput: '"done"', serializedCustomStatus: '{"step":2}' });
  });

  test("begins again as new, several times, and keeps its id", async () => {
    const id = "count-down";
    await client.scheduleNewOrchestration("countDown", 4, id);
    const ended = await client.waitForOrchestrationCompletion(id, true, 10);
    expect(ended).toMatchObject({
      runtimeStatus: OrchestrationStatus.COMPLETED,
      serializedInput: "0",
      serializedOutput: "0",
    });
    // The history is the last execution's alone.
    const history = await raw.history(id);
    expect(history.filter(({ taskscheduled }) => taskscheduled !== undefined)).toHaveLength(1);
    expect(history[1]?.executionstarted).toMatchObject({ name: "countDown", input: { value: "0" } });
  });

  test("scheduled for later does not begin before", async () => {
    const startMs = Date.now() + 150;
    await client.scheduleNewOrchestration("echo", 1, { instanceId: "later", startAt: new Date(startMs) });
    const state = await client.getOrchestrationState("later", false);
    // On a busy machine the time may have come before the answer.
    if (Date.now() < startMs) expect(state?.runtimeStatus).toBe(OrchestrationStatus.PENDING);
    await client.waitForOrchestrationCompletion("later", false, 10);
    expect(Date.now()).toBeGreaterThanOrEqual(startMs);
    expect((await raw.state("later"))?.scheduledstarttimestamp).toMatchObject({ seconds: Math.floor(startMs / 1000) });
  });

  test("its history is the same to the SDK as on the wire", async () => {
    await run("retries", "history", "history");
    const wire = (await raw.history("history")).map(({ eventid, timestamp }) => ({
      eventId: eventid,
      timestamp: new Date(timestamp!.seconds * 1000 + Math.floor(timestamp!.nanos / 1e6)),
    }));
    const shown = await client.getOrchestrationHistory("history");
    expect(shown.map(({ eventId, timestamp }) => ({ eventId, timestamp }))).toEqual(wire);
    expect(shown.slice(0, 2).map(({ type }) => type)).toEqual(["OrchestratorStarted", "ExecutionStarted"]);
    expect(shown.at(-1)).toMatchObject({ type: "ExecutionCompleted", result: '"at last"' });
  });

  test("that does not exist has an empty history", async () => {
    expect(await raw.history("nobody")).toEqual([]);
  });
});

describe("terminating", () => {
  test("ends a running instance with the reason as its output", async () => {
    await client.scheduleNewOrchestration("waits", undefined, "terminated");
    await client.waitForOrchestrationStart("terminated", false, 10);
    await client.terminateOrchestration("terminated", "enough");
    const ended = await client.waitForOrchestrationCompletion("terminated", true, 10);
    expect(ended).toMatchObject({ runtimeStatus: OrchestrationStatus.TERMINATED, serializedOutput: '"enough"' });
    // Its activity ends later, and changes nothing.
    const before = await raw.state("terminated");
    gate("terminated").resolve("late");
    await run("echo", 1);
    expect(await raw.state("terminated")).toEqual(before);
  });

  test("ends one that no worker has begun", async () => {
    const lonely = served.client("terminations");
    await lonely.scheduleNewOrchestration("waits", undefined, "pending");
    await lonely.terminateOrchestration("pending", "never mind");
    await served.worker(WORKLOAD, "terminations");
    const ended = await lonely.waitForOrchestrationCompletion("pending", true, 10);
    expect(ended).toMatchObject({ runtimeStatus: OrchestrationStatus.TERMINATED, serializedOutput: '"never mind"' });
  });

  test("leaves one that has ended as it is", async () => {
    await run("echo", 5, "over");
    const before = await raw.state("over");
    await client.terminateOrchestration("over", "too late");
    expect(await raw.state("over")).toEqual(before);
  });

  test("refuses by name one that does not exist", async () => {
    await expect(client.terminateOrchestration("nobody", "")).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("'nobody'") as string,
    });
  });
});

describe("purging", () => {
  test("deletes an instance that has ended, and its id is free", async () => {
    await run("echo", 1, "purged");
    expect((await client.purgeOrchestration("purged"))?.deletedInstanceCount).toBe(1);
    expect(await client.getOrchestrationState("purged", false)).toBeUndefined();
    expect((await client.purgeOrchestration("purged"))?.deletedInstanceCount).toBe(0);
    expect(await run("echo", 2, "purged")).toMatchObject({ serializedOutput: "2" });
  });

  test("leaves one that runs", async () => {
    await client.scheduleNewOrchestration("waits", undefined, "unpurged");
    expect((await client.purgeOrchestration("unpurged"))?.deletedInstanceCount).toBe(0);
    gate("unpurged").resolve(1);
    expect(await client.waitForOrchestrationCompletion("unpurged", true, 10)).toMatchObject({ serializedOutput: "1" });
  });
});

describe("asking for many", () => {
  beforeAll(async () => {
    for (let n = 0; n < 5; n += 1) await run("echo", n, `many-${n}`);

    await run("throws", undefined, "many-failed");
    await run("echo", 0, "another");
  });

  test("a query finds by prefix and status", async () => {
    const failed = client.getAllInstances({ instanceIdPrefix: "many-", statuses: [OrchestrationStatus.FAILED] });
    expect(await idsOf(failed)).toEqual(["many-failed"]);
    const completed = client.getAllInstances({ instanceIdPrefix: "many-", statuses: [OrchestrationStatus.COMPLETED] });
    expect(await idsOf(completed)).toEqual(["many-0", "many-1", "many-2", "many-3", "many-4"]);
    expect(await idsOf(client.getAllInstances({ instanceIdPrefix: "none-" }))).toEqual([]);
  });

  test("a query comes in pages, each instance once", async () => {
    const pages: string[][] = [];
    for await (const page of client.getAllInstances({ instanceIdPrefix: "many-" }).asPages(undefined, 4))
      pages.push(page.values.map(({ instanceId }) => instanceId));

    expect(pages).toEqual([
      ["many-0", "many-1", "many-2", "many-3"],
      ["many-4", "many-failed"],
    ]);
  });

  test("a query has payloads only when asked", async () => {
    const query = { instanceIdPrefix: "many-3" };
    for await (const { serializedInput } of client.getAllInstances({ ...query, fetchInputsAndOutputs: true }))
      expect(serializedInput).toBe("3");

    for await (const { serializedInput } of client.getAllInstances({ ...query, fetchInputsAndOutputs: false }))
      expect(serializedInput).toBeUndefined();
  });

  test("ids are listed by a window of completion times, in their order, page by page", async () => {
    const request = new pb.ListInstanceIdsRequest();
    request.setCompletedtimefrom(await completionOf("many-1"));
    request.setCompletedtimeto(await completionOf("many-4"));
    request.setPagesize(3);
    const first = await raw.call("ListInstanceIds", request, pb.ListInstanceIdsResponse);
    expect(first.getInstanceidsList()).toEqual(["many-1", "many-2", "many-3"]);
    request.setLastinstancekey(first.getLastinstancekey());
    const second = await raw.call("ListInstanceIds", request, pb.ListInstanceIdsResponse);
    expect(second.toObject()).toMatchObject({ instanceidsList: ["many-4"], lastinstancekey: undefined });
  });

  test("ids are listed by status", async () => {
    const page = await client.listInstanceIds({
      runtimeStatus: [OrchestrationStatus.FAILED],
      completedTimeFrom: (await completionOf("many-0")).toDate(),
    });
    expect(page.values).toEqual(["many-failed"]);
  });
});

async function completionOf(id: string): Promise<InstanceType<typeof timestamps.Timestamp>> {
  const { seconds, nanos } = (await raw.state(id))!.completedtimestamp!;
  const completed = new timestamps.Timestamp();
  completed.setSeconds(seconds);
  completed.setNanos(nanos);
  return completed;
}

async function idsOf(instances: AsyncIterable<OrchestrationState>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { instanceId } of instances) ids.push(instanceId);

  return ids;
}

describe("a task hub", () => {
  test("sees nothing of the others: neither instances nor work", async () => {
    const other = served.connect("separate");
    await run("echo", "here", "same-id");
    await other.start("same-id", "elsewhere");
    expect(await raw.state("same-id")).toMatchObject({ name: "echo" });
    expect(await other.state("same-id")).toMatchObject({ name: "elsewhere" });
    expect(await idsOf(served.client("separate").getAllInstances())).toEqual(["same-id"]);
    const worker = await other.worker();
    expect((await worker.item()).orchestratorrequest?.neweventsList[1]?.executionstarted).toMatchObject({
      name: "elsewhere",
    });
  });

  test("has to have a name", async () => {
    await expect(served.connect("").state("any")).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    await expect(served.connect("").worker()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe("what this version does not have", () => {
  test.each([
    "CompleteEntityTask",
    "SignalEntity",
    "GetEntity",
    "QueryEntities",
    "CleanEntityStorage",
    "AbandonTaskEntityWorkItem",
  ])("%s answers UNIMPLEMENTED, by name", async (method) => {
    await expect(raw.call(method, Buffer.alloc(0), pb.CompleteTaskResponse)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining(method) as string,
    });
  });

  test("a message that cannot be read is an error of its call alone", async () => {
    const unreadable = Buffer.from([0x0a, 0xff]);
    const start = raw.call("StartInstance", unreadable, pb.CreateInstanceResponse);
    await expect(start).rejects.toMatchObject({ code: status.INTERNAL });
    expect(await run("echo", 1)).toMatchObject({ runtimeStatus: OrchestrationStatus.COMPLETED });
  });
});

test("continue-as-new leaves results behind that came too late for the execution that asked for them", async () => {
  const connection = served.connect("renewed");
  const worker = await connection.worker();
  await connection.start("renewed");
  await connection.completeEpisode(await worker.item(), [scheduleTask(1), scheduleTask(2), scheduleTask(3)]);
  const items = [await worker.item(), await worker.item(), await worker.item()];
  await connection.completeActivity(items[0]!, "in time");
  const episode = await worker.item();
  await connection.completeActivity(items[1]!, "too late");
  await connection.completeEpisode(episode, [continueAsNew(9, "next")]);
  await connection.completeActivity(items[2]!, "later still");
  const next = await worker.item();
  expect(next.orchestratorrequest?.neweventsList.map((event) => event.executionstarted?.input?.value)).toEqual([
    undefined,
    '"next"',
  ]);
  await connection.completeEpisode(next, [complete(1, "end")]);
  const history = await connection.history("renewed");
  expect(history.some(({ taskcompleted }) => taskcompleted !== undefined)).toBe(false);
});

test("an instance keeps its tags and its version for the worker", async () => {
  const connection = served.connect("tagged");
  const worker = await connection.worker();
  await connection.start("tagged", "echo", (request) => {
    request.getTagsMap().set("colour", "green");
    request.setVersion(stringValue("1.2"));
    request.setInput(stringValue("[1]"));
  });
  const { orchestratorrequest } = await worker.item();
  expect(orchestratorrequest?.neweventsList[1]?.executionstarted).toMatchObject({
    tagsMap: [["colour", "green"]],
    version: { value: "1.2" },
    input: { value: "[1]" },
  });
  expect(await connection.state("tagged")).toMatchObject({ version: { value: "1.2" } });
});
