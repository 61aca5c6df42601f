import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { failNext } from "../../../support/emulator/failing-store.js";
import { failed } from "../../../support/emulator/protocol-actions.js";
import {
  complete,
  createTimer,
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

/** What the emulator does when its disk is full for one transaction: everything real but the fault. */

const FULL = { code: status.RESOURCE_EXHAUSTED };

let served: ServedEmulator;
let connection: RawConnection;
let worker: RawWorker;

beforeEach(async () => {
  served = await ServedEmulator.start();
  connection = served.connect();
  worker = await connection.worker();
});

afterEach(() => {
  served.close();
});

async function fanOut(width: number, instanceId = "instance"): Promise<WorkItem[]> {
  await connection.start(instanceId);
  await connection.completeEpisode(
    await worker.item(),
    Array.from({ length: width }, (_, n) => scheduleTask(n + 1)),
  );
  const items: WorkItem[] = [];
  while (items.length < width) items.push(await worker.item());

  return items;
}

/** Runs the episodes that come until they have brought so many results, then ends the instance. */
async function takeResults(count: number): Promise<string[]> {
  const results: string[] = [];
  while (results.length < count) {
    const episode = await worker.item();
    const events = episode.orchestratorrequest!.neweventsList;
    results.push(...events.flatMap(({ taskcompleted }) => taskcompleted?.result?.value ?? []));
    await connection.completeEpisode(episode, results.length < count ? [] : [complete(99, "end")]);
  }
  return results.sort();
}

test("a start that was not written is refused, and can be made again", async () => {
  failNext(served.store, "commit");
  await expect(connection.start("instance")).rejects.toMatchObject(FULL);
  expect(await connection.state("instance")).toBeUndefined();
  await connection.start("instance");
  expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
});

test.each(["begin", "commit"] as const)("an activity whose result was lost at %s is dispatched again", async (step) => {
  const [first, second] = await fanOut(2);
  failNext(served.store, step);
  await expect(connection.completeActivity(first!, "lost")).rejects.toMatchObject(FULL);
  const again = await worker.item();
  expect(again.activityrequest).toEqual(first!.activityrequest);
  await expect(connection.completeActivity(first!, "stale")).rejects.toMatchObject({ code: status.NOT_FOUND });
  // What others hold still counts.
  await connection.completeActivity(second!, "second");
  await connection.completeActivity(again, "again");
  expect(await takeResults(2)).toEqual(['"again"', '"second"']);
});

test.each(["begin", "commit"] as const)(
  "an episode whose completion was lost at %s is dispatched again",
  async (step) => {
    await connection.start("instance");
    const episode = await worker.item();
    failNext(served.store, step);
    await expect(connection.completeEpisode(episode, [scheduleTask(1)])).rejects.toMatchObject(FULL);
    const again = await worker.item();
    expect(again.orchestratorrequest?.pasteventsList).toEqual([]);
    expect(again.orchestratorrequest?.neweventsList[1]).toEqual(episode.orchestratorrequest?.neweventsList[1]);
    await connection.completeEpisode(again, [scheduleTask(1)]);
    await connection.completeActivity(await worker.item(), "once");
    expect(await takeResults(1)).toEqual(['"once"']);
  },
);

test("an episode that a worker holds meanwhile is completed as if nothing had been", async () => {
  await connection.start("instance");
  const episode = await worker.item();
  failNext(served.store, "commit");
  await expect(connection.start("other")).rejects.toMatchObject(FULL);
  await connection.completeEpisode(episode, [scheduleTask(1)]);
  await connection.completeActivity(await worker.item(), "result");
  expect(await takeResults(1)).toEqual(['"result"']);
});

test("an end that was not written is no end, and the next one is", async () => {
  await connection.start("instance");
  const episode = await worker.item();
  failNext(served.store, "commit");
  await expect(connection.completeEpisode(episode, [complete(1, "first")])).rejects.toMatchObject(FULL);
  expect((await connection.state("instance"))?.output).toBeUndefined();
  await connection.completeEpisode(await worker.item(), [complete(1, "second")]);
  expect((await connection.state("instance"))?.output).toEqual({ value: '"second"' });
});

test("a timer that could not be written fires again", async () => {
  await connection.start("instance");
  const dueMs = Date.now() + 100;
  await connection.completeEpisode(await worker.item(), [createTimer(1, dueMs)]);
  failNext(served.store, "commit");
  const { orchestratorrequest } = await worker.item();
  expect(orchestratorrequest?.neweventsList.filter(({ timerfired }) => timerfired !== undefined)).toHaveLength(1);
  expect(Date.now()).toBeGreaterThanOrEqual(dueMs);
});

test("results that were not written are not counted for those who watch", async () => {
  const items = await fanOut(2);
  const end = new AbortController();
  const counts: number[] = [];
  failNext(served.store, "commit");
  await expect(connection.completeActivity(items[0]!, "lost")).rejects.toMatchObject(FULL);
  for await (const { activitiesCompleted } of served
    .admin()
    .watch({ taskHub: "hub", instanceIdPrefix: "" }, { signal: end.signal })) {
    counts.push(activitiesCompleted);
    if (counts.length === 1) {
      failNext(served.store, "commit");
      await expect(connection.completeActivity(items[1]!, "lost")).rejects.toMatchObject(FULL);
      await connection.completeActivity(await worker.item(), "again");
    } else if (activitiesCompleted === 1) {
      await connection.completeActivity(await worker.item(), "again");
    } else {
      end.abort();
    }
  }
  expect(counts).toEqual([0, 1, 2]);
});

/** A turn of somebody else that finds the disk full. */
async function rollBack(): Promise<void> {
  failNext(served.store, "commit");
  await expect(connection.start("refused")).rejects.toMatchObject(FULL);
}

async function replace(instanceId: string, name: string): Promise<void> {
  await connection.start(instanceId, name, (request) => {
    const policy = new pb.OrchestrationIdReusePolicy();
    policy.setReplaceablestatusList([
      pb.OrchestrationStatus.ORCHESTRATION_STATUS_PENDING,
      pb.OrchestrationStatus.ORCHESTRATION_STATUS_RUNNING,
      pb.OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED,
    ]);
    request.setOrchestrationidreusepolicy(policy);
  });
}

async function oneActivityAtATime(): Promise<RawWorker> {
  worker.cancel();
  return connection.worker("limited", (request) => request.setMaxconcurrentactivityworkitems(1));
}

test("what a worker holds of an instance that was replaced is not taken for its successor's", async () => {
  await connection.start("instance", "First");
  const old = await worker.item();
  await replace("instance", "Second");
  const episode = await worker.item();
  await rollBack();
  await connection.completeEpisode(old, [complete(1, "of the first")]);
  expect((await connection.state("instance"))?.output).toBeUndefined();
  await connection.completeEpisode(episode, [complete(1, "of the second")]);
  expect(await connection.state("instance")).toMatchObject({ name: "Second", output: { value: '"of the second"' } });
});

test("a worker with a limit gets no more than that while it holds what has ended", async () => {
  const limited = await oneActivityAtATime();
  await connection.start("instance");
  await connection.completeEpisode(await limited.item(), [scheduleTask(1)]);
  const activity = await limited.item();
  await replace("instance", "Second");
  await connection.completeEpisode(await limited.item(), [scheduleTask(1, "Another")]);
  await rollBack();
  await connection.start("fence");
  expect((await limited.item()).orchestratorrequest?.instanceid).toBe("fence");
  await connection.completeActivity(activity, "too late");
  expect((await limited.item()).activityrequest?.name).toBe("Another");
});

test("an activity that is with a worker while its instance is about to be rewound is held once", async () => {
  const limited = await oneActivityAtATime();
  await connection.start("instance");
  await connection.completeEpisode(await limited.item(), [scheduleTask(1), failed(2, new pb.TaskFailureDetails())]);
  const activity = await limited.item();
  const request = new pb.RewindInstanceRequest();
  request.setInstanceid("instance");
  await connection.call("RewindInstance", request, pb.RewindInstanceResponse);
  expect((await limited.item()).orchestratorrequest?.neweventsList.at(-1)?.executionrewound).toBeDefined();
  await rollBack();
  await connection.completeActivity(activity, "of the execution that had failed");
  await connection.start("other");
  await connection.completeEpisode(await limited.item(), [scheduleTask(1, "Another")]);
  expect((await limited.item()).activityrequest?.name).toBe("Another");
});
