import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { spawnEmulator } from "../../../support/emulator/emulator-process.js";
import {
  RawConnection,
  complete,
  continueAsNew,
  createTimer,
  scheduleTask,
  timestampOf,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

describe("a store that a second emulator opens", () => {
  let served: ServedEmulator;

  beforeEach(async () => {
    served = await ServedEmulator.start();
  });

  afterEach(() => {
    served.close();
  });

  async function restart(): Promise<{ connection: RawConnection; worker: RawWorker }> {
    served.stop();
    await served.open();
    const connection = served.connect();
    return { connection, worker: await connection.worker() };
  }

  test("goes on with the activities that have no result, and with those alone", async () => {
    const before = served.connect();
    const worker = await before.worker();
    const held = await fanOut(before, worker, 5);
    await before.completeActivity(held[0]!, "before");
    await before.completeActivity(held[1]!, "before");
    const next = await restart();
    await expect(next.connection.completeActivity(held[2]!, "late")).rejects.toMatchObject({ code: status.NOT_FOUND });
    const again = await finish(next.connection, next.worker, 5);
    expect(new Set(again)).toEqual(new Set([3, 4, 5]));
    expect(again).toHaveLength(3);
    const history = await next.connection.history("instance");
    const results = history.flatMap(({ taskcompleted }) => taskcompleted?.taskscheduledid ?? []);
    expect(results.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    expect((await next.connection.state("instance"))?.output).toEqual({ value: '"end"' });
  });

  test("goes on with an episode that was with a worker", async () => {
    const before = served.connect();
    const worker = await before.worker();
    await before.start("instance");
    const episode = await worker.item();
    const next = await restart();
    const again = await next.worker.item();
    expect(again.orchestratorrequest?.neweventsList[1]).toEqual(episode.orchestratorrequest?.neweventsList[1]);
    await expect(next.connection.completeEpisode(episode, [])).rejects.toMatchObject({ code: status.NOT_FOUND });
    await next.connection.completeEpisode(again, [complete(1, "end")]);
  });

  test.each([
    ["fires timers that are due later", 200],
    ["fires at once timers that have come due in between", 1],
  ])("%s", async (_, delayMs) => {
    const before = served.connect();
    const worker = await before.worker();
    await before.start("instance");
    const dueMs = Date.now() + delayMs;
    await before.completeEpisode(await worker.item(), [createTimer(1, dueMs)]);
    const next = await restart();
    const { orchestratorrequest } = await next.worker.item();
    expect(Date.now()).toBeGreaterThanOrEqual(dueMs);
    expect(orchestratorrequest?.pasteventsList.map(({ timercreated }) => timercreated !== undefined)).toContain(true);
    expect(orchestratorrequest?.neweventsList[1]?.timerfired).toMatchObject({ timerid: 1 });
  });

  test("starts what was scheduled for later, not before", async () => {
    const before = served.connect();
    const startMs = Date.now() + 200;
    await before.start("instance", "Orchestrator", (request) => {
      request.setScheduledstarttimestamp(timestampOf(startMs));
    });
    const next = await restart();
    await next.worker.item();
    expect(Date.now()).toBeGreaterThanOrEqual(startMs);
  });

  test("opens with a start and a timer in the year 9999, as programs say never", async () => {
    const before = served.connect();
    const worker = await before.worker();
    const never = Date.UTC(9999, 11, 31);
    await before.start("scheduled", "Orchestrator", (request) => {
      request.setScheduledstarttimestamp(timestampOf(never));
    });
    await before.start("waits");
    await before.completeEpisode(await worker.item(), [createTimer(1, never)]);
    const next = await restart();
    expect(await next.connection.state("scheduled")).toMatchObject({ orchestrationstatus: 6 });
    expect(await next.connection.state("waits")).toMatchObject({ orchestrationstatus: 0 });
    await next.connection.start("now");
    expect((await next.worker.item()).orchestratorrequest?.instanceid).toBe("now");
  });

  test("remembers what continue-as-new has brought, and the results before it", async () => {
    const before = served.connect();
    const worker = await before.worker();
    const [item] = await fanOut(before, worker, 1);
    await before.completeActivity(item!, "first execution");
    await before.completeEpisode(await worker.item(), [continueAsNew(99, "again")]);
    const next = await restart();
    const { orchestratorrequest } = await next.worker.item();
    expect(orchestratorrequest?.pasteventsList).toEqual([]);
    expect(orchestratorrequest?.neweventsList[1]?.executionstarted).toMatchObject({ name: "Orchestrator" });
    const admin = served.admin();
    for await (const { activitiesCompleted } of admin.watch(
      { taskHub: "hub", instanceIdPrefix: "" },
      { signal: new AbortController().signal },
    )) {
      expect(activitiesCompleted).toBe(1);
      break;
    }
  });
});

describe("an emulator that is killed by SIGKILL", () => {
  let folder: string;
  let pids: number[];

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "fanout-kill-"));
    pids = [];
  });

  afterEach(() => {
    for (const pid of pids) killIfThere(pid);

    rmSync(folder, { recursive: true });
  });

  test("loses nothing that it has acknowledged, and counts nothing twice, however often", async () => {
    const width = 12;
    const acknowledged = new Map<number, string>();
    for (let round = 1; round <= 4; round += 1) {
      const emulator = await spawnEmulator(folder);
      pids.push(emulator.child.pid!);
      const connection = new RawConnection(`unix:${path.join(folder, "emulator.sock")}`, "hub");
      const worker = await connection.worker();
      if (round === 1) {
        await connection.start("instance");
        const actions = Array.from({ length: width }, (_, n) => scheduleTask(n + 1));
        await connection.completeEpisode(await worker.item(), actions);
      }
      for (let done = 0; done < 3;) {
        const item = await worker.item();
        if (item.activityrequest === undefined) {
          await connection.completeEpisode(item, []);
        } else {
          const { taskid } = item.activityrequest;
          expect(acknowledged).not.toContain(taskid);
          await connection.completeActivity(item, `round ${round}`);
          acknowledged.set(taskid, `"round ${round}"`);
          done += 1;
        }
      }
      if (round < 4) {
        emulator.child.kill("SIGKILL");
        expect(await emulator.exited).toMatchObject({ signal: "SIGKILL" });
      } else {
        expect(await finish(connection, worker, width)).toEqual([]);
        const results = (await connection.history("instance")).flatMap(({ taskcompleted }) =>
          taskcompleted === undefined ? [] : [[taskcompleted.taskscheduledid, taskcompleted.result?.value] as const],
        );
        expect(results).toHaveLength(width);
        expect(new Map(results)).toEqual(acknowledged);
      }
      connection.close();
    }
  });
});

/** Starts an instance whose first episode asks for so many activities; the worker gets and keeps them. */
async function fanOut(connection: RawConnection, worker: RawWorker, width: number): Promise<WorkItem[]> {
  await connection.start("instance");
  const actions = Array.from({ length: width }, (_, n) => scheduleTask(n + 1));
  await connection.completeEpisode(await worker.item(), actions);
  const items: WorkItem[] = [];
  while (items.length < width) items.push(await worker.item());

  return items;
}

/** Does all that comes until the instance has that many results, then ends it; returns the activities that came. */
async function finish(connection: RawConnection, worker: RawWorker, width: number): Promise<number[]> {
  const ran: number[] = [];
  for (;;) {
    const item = await worker.item();
    if (item.activityrequest !== undefined) {
      ran.push(item.activityrequest.taskid);
      await connection.completeActivity(item, "after");
    } else {
      const { pasteventsList, neweventsList } = item.orchestratorrequest!;
      const results = [...pasteventsList, ...neweventsList].filter(({ taskcompleted }) => taskcompleted !== undefined);
      await connection.completeEpisode(item, results.length === width ? [complete(99, "end")] : []);
      if (results.length === width) return ran;
    }
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
