import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { EmulatorAdminClient } from "../../../../src/backend/emulator-admin.js";
import type { HubProgress } from "../../../../src/protocol/admin.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

let served: ServedEmulator;
let hub: string;
let hubs = 0;
let connection: RawConnection;
let cut: () => void;
let worker: RawWorker;
let admin: EmulatorAdminClient;

beforeAll(async () => {
  served = await ServedEmulator.start();
});

afterAll(() => {
  served.close();
});

/** A hub of its own for each test, with one worker on it. */
beforeEach(async () => {
  hub = `hub-${(hubs += 1)}`;
  ({ connection, cut } = await served.connectCuttably(hub));
  worker = await connection.worker("first");
  admin = served.admin(hub);
});

/** Starts an instance whose first episode asks for so many activities; the worker gets and keeps them. */
async function fanOut(width: number, instanceId = "instance"): Promise<WorkItem[]> {
  await connection.start(instanceId);
  const actions = Array.from({ length: width }, (_, n) => scheduleTask(n + 1));
  await connection.completeEpisode(await worker.item(), actions);
  const items: WorkItem[] = [];
  while (items.length < width) items.push(await worker.item());

  return items;
}

/** The first progress of the hub for which the condition holds. */
async function progress(
  condition: (progress: HubProgress) => boolean,
  instanceIdPrefix = "instance",
): Promise<HubProgress> {
  const end = new AbortController();
  for await (const each of admin.watch({ taskHub: hub, instanceIdPrefix }, { signal: end.signal })) {
    if (condition(each)) {
      end.abort();
      return each;
    }
  }
  throw new Error("The watch ended.");
}

/** Completes its episodes until it has ended. */
async function endOf(instanceId: string): Promise<void> {
  while ((await connection.state(instanceId))?.output === undefined) {
    const episode = await worker.item();
    const all = episode.orchestratorrequest!.pasteventsList.concat(episode.orchestratorrequest!.neweventsList);
    const results = all.filter(({ taskcompleted }) => taskcompleted !== undefined);
    await connection.completeEpisode(episode, results.length === 3 ? [complete(9, "end")] : []);
  }
}

async function redelivered(): Promise<number> {
  return (await admin.status()).redelivered;
}

function taskIds(items: readonly WorkItem[]): number[] {
  return items.map(({ activityrequest }) => activityrequest!.taskid).sort((a, b) => a - b);
}

/** Runs the episodes that come until they have taken in so many results, then ends the instance; their task ids. */
async function takeResults(connection: RawConnection, worker: RawWorker, count: number): Promise<number[]> {
  const ids: number[] = [];
  while (ids.length < count) {
    const episode = await worker.item();
    const events = episode.orchestratorrequest!.neweventsList;
    ids.push(...events.flatMap(({ taskcompleted }) => taskcompleted?.taskscheduledid ?? []));
    await connection.completeEpisode(episode, ids.length < count ? [] : [complete(99, "end")]);
  }
  return ids.sort((a, b) => a - b);
}

describe("a completion token", () => {
  test("counts once: a second completion of the same activity is refused", async () => {
    const [item] = await fanOut(2);
    await connection.completeActivity(item!, "first");
    await expect(connection.completeActivity(item!, "second")).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("stale") as string,
    });
    const history = await connection.history("instance");
    expect(history.flatMap(({ taskcompleted }) => taskcompleted?.result?.value ?? [])).toEqual(['"first"']);
  });

  test("counts once: a second completion of the same episode is refused", async () => {
    await connection.start("instance");
    const episode = await worker.item();
    await connection.completeEpisode(episode, [complete(1, "first")]);
    await expect(connection.completeEpisode(episode, [complete(1, "second")])).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    expect((await connection.state("instance"))?.output).toEqual({ value: '"first"' });
  });

  test("that nobody was given is refused by every call that takes one", async () => {
    const item = { completiontoken: "made-up" } as WorkItem;
    const episode = { ...item, orchestratorrequest: new pb.OrchestratorRequest().toObject() };
    const notFound = { code: status.NOT_FOUND, details: expect.stringContaining("made-up") as string };
    await expect(connection.completeActivity(item, 1)).rejects.toMatchObject(notFound);
    await expect(connection.completeEpisode(item, [])).rejects.toMatchObject(notFound);
    await expect(connection.abandon(item)).rejects.toMatchObject(notFound);
    await expect(connection.abandon(episode)).rejects.toMatchObject(notFound);
  });

  test("is of one kind of work item alone, and an item that was completed as another is dispatched again", async () => {
    await connection.start("instance");
    const episode = await worker.item();
    await expect(connection.completeActivity(episode, 1)).rejects.toMatchObject({ code: status.NOT_FOUND });
    const again = await worker.item();
    await connection.completeEpisode(again, [scheduleTask(1)]);
    await expect(connection.completeEpisode(await worker.item(), [])).rejects.toMatchObject({ code: status.NOT_FOUND });
    await connection.completeActivity(await worker.item(), 1);
    expect(await takeResults(connection, worker, 1)).toEqual([1]);
  });

  test("is of one hub alone", async () => {
    const [item] = await fanOut(1);
    const elsewhere = served.connect("elsewhere");
    await expect(elsewhere.completeActivity(item!, 1)).rejects.toMatchObject({ code: status.NOT_FOUND });
    await connection.completeActivity(item!, 1);
  });
});

describe("a worker that cancels its stream only", () => {
  test("keeps what it holds, and its completions count", async () => {
    const before = await redelivered();
    const [first, second] = await fanOut(2);
    worker.cancel();
    await progress(({ workers }) => workers === 0);
    // Another worker gets new work, and nothing of what the first one holds.
    const other = await served.connect(hub).worker("second");
    await connection.start("new");
    expect((await other.item()).orchestratorrequest?.instanceid).toBe("new");
    await connection.completeActivity(first!, 1);
    await connection.completeActivity(second!, 2);
    expect(await takeResults(connection, other, 2)).toEqual([1, 2]);
    expect(await redelivered()).toBe(before);
  });

  test("keeps an episode as well", async () => {
    await connection.start("instance");
    const episode = await worker.item();
    worker.cancel();
    await progress(({ workers }) => workers === 0);
    const other = await served.connect(hub).worker("second");
    await connection.start("new");
    expect((await other.item()).orchestratorrequest?.instanceid).toBe("new");
    await connection.completeEpisode(episode, [complete(1, "done")]);
    expect((await connection.state("instance"))?.output).toEqual({ value: '"done"' });
  });
});

describe("a connection that closes", () => {
  test("gives back what its workers held, counted, and their tokens are void", async () => {
    const before = await redelivered();
    const held = await fanOut(3);
    await connection.completeActivity(held[0]!, "done");
    await connection.completeEpisode(await worker.item(), []);
    cut();
    const next = served.connect(hub);
    const other = await next.worker("second");
    const again = [await other.item(), await other.item()];
    expect(taskIds(again)).toEqual(taskIds(held.slice(1)));
    expect(await redelivered()).toBe(before + 2);
    await expect(next.completeActivity(held[1]!, "late")).rejects.toMatchObject({ code: status.NOT_FOUND });
    for (const item of again) await next.completeActivity(item, "again");

    expect(await takeResults(next, other, 2)).toEqual([2, 3]);
    expect((await next.state("instance"))?.output).toEqual({ value: '"end"' });
  });

  test("gives back an episode, and it is the same again", async () => {
    await connection.start("instance");
    const episode = await worker.item();
    cut();
    const other = await served.connect(hub).worker("second");
    const again = await other.item();
    expect(again.completiontoken).not.toBe(episode.completiontoken);
    expect(again.orchestratorrequest?.neweventsList[1]).toEqual(episode.orchestratorrequest?.neweventsList[1]);
    expect(again.orchestratorrequest?.pasteventsList).toEqual([]);
  });

  test("again and again makes what it held rest, longer each time, and the status says so", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await connection.start("instance");
      const actions = [scheduleTask(1), scheduleTask(2), scheduleTask(3)];
      await connection.completeEpisode(await worker.item(), actions);
      await worker.item();
      const next = served.connect(hub);
      for (const restMs of [0, 250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
        cut();
        await progress(({ workers }) => workers === 0);
        if (restMs > 0) {
          const { backlog } = await admin.status();
          expect(backlog.activities).toMatchObject({ waiting: 0, resting: 3 });
          vi.advanceTimersByTime(restMs - 1);
          expect((await admin.status()).backlog.activities.resting).toBe(3);
          vi.advanceTimersByTime(1);
        }
        expect((await admin.status()).backlog.activities).toMatchObject({ waiting: 3, resting: 0 });
        ({ connection, cut } = await served.connectCuttably(hub));
        worker = await connection.worker("first");
        for (const _ of actions) await worker.item();
      }
      expect((await next.state("instance"))?.instanceid).toBe("instance");
    } finally {
      vi.useRealTimers();
    }
  });

  test("takes nothing from workers on other connections", async () => {
    const held = await fanOut(2);
    const other = await served.connectCuttably(hub);
    await other.connection.worker("second");
    await progress(({ workers }) => workers === 2);
    other.cut();
    await progress(({ workers }) => workers === 1);
    for (const item of held) await connection.completeActivity(item, 1);

    expect(await takeResults(connection, worker, 2)).toEqual([1, 2]);
  });
});

describe("abandoning", () => {
  test("an activity gives it back at once, and voids the token", async () => {
    const before = await redelivered();
    const [item] = await fanOut(1);
    await connection.abandon(item!);
    const again = await worker.item();
    expect(again.activityrequest).toEqual(item!.activityrequest);
    await expect(connection.completeActivity(item!, 1)).rejects.toMatchObject({ code: status.NOT_FOUND });
    await connection.completeActivity(again, 1);
    // Nothing was lost, so nothing was redelivered: the worker asked for it.
    expect(await redelivered()).toBe(before);
  });

  test("an episode gives it back at once, with what has arrived since", async () => {
    await connection.start("instance");
    const episode = await worker.item();
    const terminate = new pb.TerminateRequest();
    terminate.setInstanceid("instance");
    await connection.call("TerminateInstance", terminate, pb.TerminateResponse);
    await connection.abandon(episode);
    const { orchestratorrequest } = await worker.item();
    const events = orchestratorrequest!.neweventsList;
    expect(events.map((event) => event.executionstarted?.name ?? event.executionterminated?.recurse)).toEqual([
      undefined,
      "Orchestrator",
      false,
    ]);
  });
});

test("a completion that was answered with an error is dispatched again: its worker has dropped it", async () => {
  await connection.start("instance");
  const episode = await worker.item();
  const response = new pb.OrchestratorResponse();
  response.setCompletiontoken(episode.completiontoken);
  response.setIspartial(true);
  await expect(connection.call("CompleteOrchestratorTask", response, pb.CompleteTaskResponse)).rejects.toMatchObject({
    code: status.UNIMPLEMENTED,
    details: expect.stringContaining("isPartial") as string,
  });
  const again = await worker.item();
  expect(again.orchestratorrequest?.instanceid).toBe("instance");
  await connection.completeEpisode(again, [complete(1, "done")]);
});

describe("watching a hub", () => {
  test("counts results of the instances with the prefix, also of those that have ended", async () => {
    const others = await fanOut(1, "other-1");
    await connection.completeActivity(others[0]!, 1);
    // The instance of the other's result comes first, now that it has all of them.
    await connection.completeEpisode(await worker.item(), [complete(8, null)]);
    const items = await fanOut(3);
    expect(await progress(() => true)).toMatchObject({ workers: 1, workerlessMs: 0, activitiesCompleted: 0 });
    const two = progress(({ activitiesCompleted }) => activitiesCompleted === 2);
    await connection.completeActivity(items[0]!, 1);
    await connection.completeActivity(items[1]!, 1);
    await two;
    await connection.completeActivity(items[2]!, 1);
    await progress(({ activitiesCompleted }) => activitiesCompleted === 3);
    await endOf("instance");
    expect(await progress(() => true)).toMatchObject({ activitiesCompleted: 3 });
    expect(await progress(() => true, "")).toMatchObject({ activitiesCompleted: 4 });
  });

  test("tells for how long it has been without a worker", async () => {
    worker.cancel();
    const { workerlessMs } = await progress(({ workers, workerlessMs }) => workers === 0 && workerlessMs > 0);
    expect(workerlessMs).toBeLessThan(10_000);
  });

  test("refuses a hub without a name, and the emulator lives on", async () => {
    const watch = admin.watch({ taskHub: "", instanceIdPrefix: "" }, { signal: new AbortController().signal });
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect((await admin.status()).pid).toBe(process.pid);
  });
});

describe("draining a worker", () => {
  test("ends its stream behind all that was sent, and keeps its leases", async () => {
    const before = await redelivered();
    await connection.start("instance");
    const actions = Array.from({ length: 50 }, (_, n) => scheduleTask(n + 1));
    await connection.completeEpisode(await worker.item(), actions);
    await admin.drainWorker("first");
    await connection.start("new");
    const held: WorkItem[] = [];
    for (let item = await worker.next(); item !== undefined; item = await worker.next()) held.push(item);

    expect(taskIds(held)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
    const next = await served.connect(hub).worker("second");
    expect((await next.item()).orchestratorrequest?.instanceid).toBe("new");
    for (const item of held) await connection.completeActivity(item, 1);

    expect(await redelivered()).toBe(before);
  });

  test("is refused by name if the hub has none of that name, and leaves the others alone", async () => {
    await expect(admin.drainWorker("nobody")).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("'nobody'") as string,
    });
    await connection.start("instance");
    expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
  });
});
