import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { failNext } from "./failing-store.js";
import {
  complete,
  createTimer,
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "./raw-connection.js";
import { ServedEmulator } from "./served-emulator.js";

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
  while (items.length < width) {
    items.push(await worker.item());
  }
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
