import { status } from "@grpc/grpc-js";
import { OrchestrationStatus, type OrchestrationContext, type TaskHubGrpcClient } from "@microsoft/durabletask-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  complete,
  createTimer,
  scheduleTask,
  timestampOf,
  type RawConnection,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { FAMILY, startFamily } from "../../../support/emulator/family.js";
import type { Steps } from "../../../support/emulator/protocol-hub.js";
import { endAtOnce } from "../../../support/emulator/end-at-once.js";

let served: ServedEmulator;
let client: TaskHubGrpcClient;
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  connect();
});

afterEach(() => {
  served.close();
});

function connect(): void {
  client = served.client();
  hub = served.connect();
}

async function reopen(): Promise<void> {
  served.stop();
  await served.open();
  connect();
}

async function* parent(context: OrchestrationContext): Steps {
  try {
    return yield context.callSubOrchestrator("child", undefined, { instanceId: "child" });
  } catch (error) {
    return `failed: ${(error as Error).message}`;
  }
}

async function* child(context: OrchestrationContext): Steps {
  return yield context.waitForExternalEvent("never");
}

const TERMINATED = { orchestrationstatus: OrchestrationStatus.TERMINATED };

describe("SkipGracefulOrchestrationTerminations", () => {
  test("ends instances at once, without a worker, with the reason as output, also over a restart", async () => {
    await hub.start("waiting");
    await hub.start("scheduled", "Orchestrator", (request) => {
      request.setScheduledstarttimestamp(timestampOf(Date.now() + 3_600_000));
    });
    await hub.start("suspended");
    await client.suspendOrchestration("suspended");
    expect(await endAtOnce(hub, ["waiting", "scheduled", "suspended"], "enough")).toEqual([]);
    await reopen();
    for (const id of ["waiting", "scheduled", "suspended"]) {
      expect(await hub.state(id)).toMatchObject({ ...TERMINATED, output: { value: '"enough"' } });
      expect((await hub.state(id))?.completedtimestamp).toBeDefined();
    }
    const types = (await client.getOrchestrationHistory("waiting")).map(({ type }) => type);
    expect(types).toEqual(["ExecutionStarted", "ExecutionTerminated", "ExecutionCompleted"]);
    const worker = await hub.worker();
    await hub.state("waiting");
    expect(worker.arrived).toBe(0);
  });

  test("ends what a worker is at, whose results are taken and change nothing", async () => {
    const worker = await hub.worker();
    await hub.start("episode");
    const episode = await worker.item();
    await hub.start("activity");
    await hub.completeEpisode(await worker.item(), [scheduleTask(1), createTimer(2, Date.now() + 3_600_000)]);
    const activity = await worker.item();
    expect(await endAtOnce(hub, ["episode", "activity"])).toEqual([]);
    await hub.completeEpisode(episode, [complete(1, "too late")]);
    await hub.completeActivity(activity, "too late");
    for (const id of ["episode", "activity"]) {
      const state = await hub.state(id);
      expect(state).toMatchObject(TERMINATED);
      expect(state?.output).toBeUndefined();
    }
    expect(worker.arrived).toBe(0);
    expect(served.emulator.figures().inFlight).toBe(0);
  });

  test("tells of those that it has not found running, which stay as they are", async () => {
    await served.worker(FAMILY);
    await startFamily(client, { id: "ended" });
    await startFamily(client, { id: "running", stays: true });
    expect(await endAtOnce(hub, ["ended", "running", "none", "running"])).toEqual(["ended", "none", "running"]);
    expect((await client.getOrchestrationState("ended"))?.runtimeStatus).toBe(OrchestrationStatus.COMPLETED);
    expect((await client.getOrchestrationState("running"))?.runtimeStatus).toBe(OrchestrationStatus.TERMINATED);
    expect(await hub.state("none")).toBeUndefined();
  });

  test("takes 500 ids at a time, and refuses more with nothing done", async () => {
    const ids = Array.from({ length: 501 }, (_, n) => `instance-${n}`);
    await Promise.all(ids.map((id) => hub.start(id)));
    await expect(endAtOnce(hub, ids)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: "SkipGracefulOrchestrationTerminations takes 500 instance ids at most, not 501.",
    });
    expect(served.emulator.figures().inFlight).toBe(501);
    expect(await endAtOnce(hub, ids.slice(1))).toEqual([]);
    expect(served.emulator.figures().inFlight).toBe(1);
    expect(await endAtOnce(hub, [])).toEqual([]);
  });

  test("leaves running what the instances have started", async () => {
    await served.worker(FAMILY);
    await startFamily(client, { id: "head", stays: true, children: [{ id: "head.child", stays: true }] });
    expect(await endAtOnce(hub, ["head"])).toEqual([]);
    expect((await client.getOrchestrationState("head.child"))?.runtimeStatus).toBe(OrchestrationStatus.RUNNING);
  });

  test("fails the task of an orchestration that waits for the instance, which can go on", async () => {
    await served.worker({ orchestrators: { parent, child } });
    await client.scheduleNewOrchestration("parent", undefined, "parent");
    await client.waitForOrchestrationStart("parent");
    while ((await endAtOnce(hub, ["child"])).length > 0);
    const state = await client.waitForOrchestrationCompletion("parent");
    expect(state?.runtimeStatus).toBe(OrchestrationStatus.COMPLETED);
    expect(state?.serializedOutput).toContain("'child' was terminated");
  });

  test("answers those who wait for the instances", async () => {
    await hub.start("instance");
    const ended = client.waitForOrchestrationCompletion("instance");
    // It goes the same way: once it is answered, the other is waiting.
    await client.getOrchestrationState("instance");
    await endAtOnce(hub, ["instance"]);
    expect((await ended)?.runtimeStatus).toBe(OrchestrationStatus.TERMINATED);
  });
});
