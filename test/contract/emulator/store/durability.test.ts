import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Clock } from "../../../../src/emulator/clock/clock.js";
import { MACHINE_TIME } from "../../../../src/emulator/clock/machine-time.js";
import { GroupCommit } from "../../../../src/emulator/store/group-commit.js";
import { readActions } from "../../../../src/protocol/orchestrator-actions.js";
import { openSqliteStore } from "../../../../src/emulator/store/sqlite/store.js";
import { StoreError, type Store } from "../../../../src/emulator/store/store.js";
import { SchedulerLimits } from "../../../../src/emulator/limits/scheduler-limits.js";
import { WaitingBytes } from "../../../../src/emulator/instance/waiting-bytes.js";
import { TaskHub } from "../../../../src/emulator/hub/task-hub.js";
import { Status, isTerminal } from "../../../../src/protocol/orchestration-status.js";
import { Worker } from "../../../../src/emulator/dispatch/worker.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { failNext } from "../../../support/emulator/failing-store.js";
import {
  complete,
  continueAsNew,
  createTimer,
  scheduleTask,
  type RawConnection,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

/** A call that names it is answered at once, with an error. */
const NO_ITEM = { completiontoken: "none" } as WorkItem;

/** Nothing leaves the emulator before its cause is on disk, while the emulator goes on: the disk is the test's. */

describe("a task hub on a disk that takes its time", () => {
  let store: Store;
  let commits: GroupCommit;
  let hub: TaskHub;
  let worker: Worker;
  /** Work items that have left and that no test has looked at. */
  let sent: WorkItem[];
  /** What ends the sync that is under way; another one may begin with that. */
  let syncs: ((error: Error | undefined) => void)[];

  beforeEach(async () => {
    vi.useFakeTimers();
    store = await openSqliteStore(":memory:");
    syncs = [];
    store.sync = (done) => {
      syncs.push(done);
    };
    commits = new GroupCommit(store, MACHINE_TIME, {
      onCommitted: () => hub.afterCommit(),
      onRolledBack: () => {
        hub.reload(store.active(), store.detached());
      },
      onLost: () => {},
    });
    let tokens = 0;
    hub = new TaskHub("hub", {
      store,
      commits,
      clock: new Clock(MACHINE_TIME),
      newToken: () => `token-${(tokens += 1)}`,
      limits: new SchedulerLimits("none", () => {}),
      waitingBytes: new WaitingBytes(),
    });
    sent = [];
    worker = newWorker();
    hub.addWorker(worker);
  });

  afterEach(() => {
    hub.close();
    store.close();
    vi.useRealTimers();
  });

  function write(item: Uint8Array): boolean {
    sent.push(pb.WorkItem.deserializeBinary(item).toObject());
    return true;
  }

  function newWorker(): Worker {
    return new Worker({ id: "worker", stream: { write, end: () => {} }, connectionItems: new Set() });
  }

  /** The work items that have left since the last look. */
  function looked(): WorkItem[] {
    return sent.splice(0);
  }

  function endSync(error?: Error): void {
    syncs.shift()!(error);
  }

  /** Lets the disk come to the end of all that was committed. */
  function settle(): void {
    commits.flush();
    while (syncs.length > 0) endSync();
  }

  function start(instanceId = "instance"): void {
    const none = { version: undefined, input: undefined, executionId: undefined, traceContext: undefined };
    hub.clients.start(
      { ...none, instanceId, name: "Orchestrator", scheduledStartUs: 0, tags: [] },
      { statuses: [], action: "replace" },
      () => {},
    );
    commits.flush();
  }

  function completeEpisode(item: WorkItem, of: readonly ReturnType<typeof complete>[]): void {
    hub.completeEpisode(
      item.completiontoken,
      {
        actions: readActions(of.map((action) => action.serializeBinary())),
        customStatus: undefined,
        traceContext: undefined,
      },
      answered,
    );
    commits.flush();
  }

  function completeActivity(item: WorkItem): void {
    hub.completeActivity(item.completiontoken, { result: undefined, failure: undefined }, answered);
    commits.flush();
  }

  const answers: string[] = [];
  const answered = (error: Error | undefined): void => {
    answers.push(error?.message ?? "OK");
  };

  /** An instance with so many activities at the worker, all of it on disk. */
  function fanOut(width: number): WorkItem[] {
    start();
    settle();
    const [episode] = looked();
    completeEpisode(
      episode!,
      Array.from({ length: width }, (_, n) => scheduleTask(n + 1)),
    );
    settle();
    return looked();
  }

  /** Submits a start that finds the disk full. */
  function failOnce(): void {
    failNext(store, "commit");
    start("lost");
  }

  test("an instance is sent to a worker once its start is on disk", () => {
    start();
    vi.advanceTimersByTime(1_000);
    expect(looked()).toEqual([]);
    endSync();
    expect(looked()).toMatchObject([{ orchestratorrequest: { instanceid: "instance" } }]);
  });

  test("activities are sent once the episode that scheduled them is on disk, whoever else wakes the queue", () => {
    start();
    endSync();
    const [episode] = looked();
    completeEpisode(episode!, [scheduleTask(1)]);
    hub.addWorker(newWorker());
    hub.unblockWorker(worker);
    expect(looked()).toEqual([]);
    endSync();
    expect(looked()).toMatchObject([{ activityrequest: { taskid: 1 } }]);
  });

  test("a turn is applied while the one before it is on its way, and each is published with its own sync", () => {
    start("a");
    start("b");
    expect(store.find("hub", "b", false)).toBeDefined();
    endSync();
    expect(looked().map(({ orchestratorrequest }) => orchestratorrequest?.instanceid)).toEqual(["a"]);
    endSync();
    expect(looked().map(({ orchestratorrequest }) => orchestratorrequest?.instanceid)).toEqual(["b"]);
  });

  test("an episode takes the results that are on disk, and no others, when the time of holding is over", () => {
    const [first, second, third] = fanOut(3);
    completeActivity(first!);
    completeActivity(second!);
    endSync();
    vi.advanceTimersByTime(100);
    const [episode, ...more] = looked();
    expect(resultsOf(episode)).toEqual([1]);
    expect(more).toEqual([]);
    completeEpisode(episode!, []);
    settle();
    vi.advanceTimersByTime(100);
    expect(looked().map(resultsOf)).toEqual([[2]]);
    completeActivity(third!);
  });

  test("results that are about to be on disk are waited for like those that are outstanding", () => {
    const [first, second] = fanOut(2);
    completeActivity(first!);
    completeActivity(second!);
    endSync();
    expect(looked()).toEqual([]);
    endSync();
    expect(looked().map(resultsOf)).toEqual([[1, 2]]);
  });

  test("the next episode waits until the one before it is on disk, though its events are", () => {
    const [first] = fanOut(2);
    completeActivity(first!);
    settle();
    vi.advanceTimersByTime(100);
    const [episode] = looked();
    hub.clients.terminate("instance", undefined, false, answered);
    commits.flush();
    completeEpisode(episode!, [scheduleTask(3)]);
    endSync();
    vi.advanceTimersByTime(1_000);
    expect(looked()).toEqual([]);
    endSync();
    const items = looked();
    const task = items.find(({ activityrequest }) => activityrequest !== undefined);
    const next = items.find(({ orchestratorrequest }) => orchestratorrequest !== undefined);
    expect(items).toHaveLength(2);
    expect(task?.activityrequest?.taskid).toBe(3);
    expect(next?.orchestratorrequest?.pasteventsList.at(-1)?.taskscheduled).toBeDefined();
    expect(next?.orchestratorrequest?.neweventsList.at(-1)?.executionterminated).toBeDefined();
  });

  test("the next execution begins once continue-as-new is on disk", () => {
    start();
    endSync();
    const [episode] = looked();
    completeEpisode(episode!, [continueAsNew(1, "again")]);
    expect(looked()).toEqual([]);
    endSync();
    expect(looked()[0]?.orchestratorrequest?.neweventsList[1]?.executionstarted?.input?.value).toBe('"again"');
  });

  test("a timer that goes off wakes its instance once that is on disk", () => {
    start();
    endSync();
    const [episode] = looked();
    completeEpisode(episode!, [createTimer(1, Date.now() + 50)]);
    settle();
    vi.advanceTimersByTime(50);
    commits.flush();
    expect(looked()).toEqual([]);
    endSync();
    expect(looked()[0]?.orchestratorrequest?.neweventsList.at(-1)?.timerfired).toBeDefined();
  });

  test("an end is told to those who wait for it once it is on disk", () => {
    start();
    endSync();
    const [episode] = looked();
    let told = 0;
    hub.waitFor("instance", isTerminal, () => (told += 1));
    completeEpisode(episode!, [complete(1, "end")]);
    expect(store.find("hub", "instance", false)?.status).toBe(Status.Completed);
    expect(told).toBe(0);
    endSync();
    expect(told).toBe(1);
  });

  test("results are counted once they are on disk, and once", () => {
    const items = fanOut(2);
    const before = hub.countResults("").counter;
    completeActivity(items[0]!);
    expect(before.count).toBe(0);
    const during = hub.countResults("").counter;
    endSync();
    expect([before.count, during.count]).toEqual([1, 1]);
  });

  test("a timer that finds the disk full is tried again, and not at once", () => {
    start();
    settle();
    const [episode] = looked();
    completeEpisode(episode!, [createTimer(1, Date.now() + 50)]);
    settle();
    const commit = store.commit.bind(store);
    let attempts = 0;
    store.commit = () => {
      attempts += 1;
      throw new StoreError("full", "database or disk is full");
    };
    vi.advanceTimersByTime(5_000);
    expect(attempts).toBeGreaterThan(2);
    expect(attempts).toBeLessThan(10);
    store.commit = commit;
    vi.advanceTimersByTime(1_000);
    settle();
    expect(looked()[0]?.orchestratorrequest?.neweventsList.at(-1)?.timerfired).toBeDefined();
  });

  describe("when a turn is rolled back while the one before it is on its way", () => {
    test("the one before is sent with its sync, and not earlier", () => {
      start("kept");
      failOnce();
      hub.addWorker(newWorker());
      expect(looked()).toEqual([]);
      settle();
      expect(looked().map(({ orchestratorrequest }) => orchestratorrequest?.instanceid)).toEqual(["kept"]);
    });

    test("its activities are sent once, and not earlier", () => {
      start();
      endSync();
      const [episode] = looked();
      completeEpisode(episode!, [scheduleTask(1), scheduleTask(2)]);
      failOnce();
      hub.addWorker(newWorker());
      expect(looked()).toEqual([]);
      settle();
      expect(looked().map(({ activityrequest }) => activityrequest?.taskid)).toEqual([1, 2]);
    });

    test.each([
      ["of an orchestration that has ended", complete(2, "end")],
      ["of an execution that is over", continueAsNew(2, "next")],
    ])("an activity that nobody waits for, %s, is sent once", (_, ending) => {
      start();
      endSync();
      const [episode] = looked();
      completeEpisode(episode!, [scheduleTask(1), ending]);
      failOnce();
      settle();
      expect(looked().flatMap(({ activityrequest }) => activityrequest?.taskid ?? [])).toEqual([1]);
    });

    test("an episode that a worker holds meanwhile is completed before that is on disk", () => {
      const [first, second] = fanOut(2);
      completeActivity(first!);
      settle();
      vi.advanceTimersByTime(100);
      const [episode] = looked();
      completeActivity(second!);
      failOnce();
      completeEpisode(episode!, [scheduleTask(3)]);
      expect(looked()).toEqual([]);
      settle();
      vi.advanceTimersByTime(100);
      const items = looked();
      expect(items.flatMap(({ activityrequest }) => activityrequest?.taskid ?? [])).toEqual([3]);
      const episodes = items.filter(({ orchestratorrequest }) => orchestratorrequest !== undefined);
      expect(episodes.map(resultsOf)).toEqual([[2]]);
      expect(store.find("hub", "instance", false)?.tasksCompleted).toBe(1);
    });
  });

  test("nothing is sent any more once a sync has failed", () => {
    const [first] = fanOut(1);
    answers.length = 0;
    completeActivity(first!);
    start("behind");
    endSync(new Error("EIO: i/o error, fdatasync"));
    vi.advanceTimersByTime(1_000);
    expect(looked()).toEqual([]);
    expect(answers).toEqual([expect.stringContaining("EIO: i/o error")]);
  });
});

describe("an emulator on a disk that takes its time", () => {
  let served: ServedEmulator;
  let connection: RawConnection;
  /** Syncs that were asked for, and how a test hears of the next one. */
  let syncs: (() => void)[];
  let begun: () => void;

  beforeEach(async () => {
    served = await ServedEmulator.start();
    connection = served.connect();
    syncs = [];
    begun = () => {};
    const { store } = served;
    const sync = store.sync.bind(store);
    store.sync = (done) => {
      syncs.push(() => {
        sync(done);
      });
      begun();
    };
  });

  afterEach(() => {
    served.close();
  });

  async function syncBegun(): Promise<void> {
    if (syncs.length === 0) {
      await new Promise<void>((resolve) => {
        begun = resolve;
      });
    }
  }

  /** Starts an instance, up to where it is committed and on its way to the disk; resolves with how that was answered. */
  async function startUnderWay(): Promise<{ answer: Promise<string>; settled: string[] }> {
    const settled: string[] = [];
    const answer = connection.start("instance").then(
      () => "OK",
      (error: { code: number }) => `code ${error.code}`,
    );
    void answer.then((text) => settled.push(`start ${text}`));
    await syncBegun();
    return { answer, settled };
  }

  test("answers neither a start nor a read of it before it is on disk", async () => {
    const { answer, settled } = await startUnderWay();
    const query = new pb.QueryInstancesRequest();
    query.setQuery(new pb.InstanceQuery());
    const list = new pb.ListInstanceIdsRequest();
    const reads = [
      connection.state("instance").then((state) => settled.push(`state ${state?.instanceid}`)),
      connection.history("instance").then((events) => settled.push(`history of ${events.length}`)),
      connection
        .call("QueryInstances", query, pb.QueryInstancesResponse)
        .then((rows) => settled.push(`query of ${rows.getOrchestrationstateList().length}`)),
      connection
        .call("ListInstanceIds", list, pb.ListInstanceIdsResponse)
        .then((ids) => settled.push(`list of ${ids.getInstanceidsList().length}`)),
    ];
    // What is no read goes on, behind the reads on the same connection: more than once, as an error is told faster.
    for (let n = 0; n < 5; n += 1) await connection.abandon(NO_ITEM).catch(() => {});

    expect(settled).toEqual([]);
    syncs.shift()!();
    await Promise.all([answer, ...reads]);
    expect(settled.toSorted()).toEqual(["history of 1", "list of 0", "query of 1", "start OK", "state instance"]);
  });

  test("answers what it has when it is closed meanwhile", async () => {
    const { answer } = await startUnderWay();
    served.stop();
    await answer;
    await served.open();
    expect(await served.connect().state("instance")).toMatchObject({ instanceid: "instance" });
  });

  test("says why it stops when the disk fails, refuses all calls, and the next one goes on from what is there", async () => {
    const worker = await connection.worker();
    const { answer } = await startUnderWay();
    served.store.sync = (done) => {
      done(new Error("EIO: i/o error, fdatasync"));
    };
    // The sync that is under way succeeds, the one behind it does not.
    const second = connection.start("second").catch((error: { code: number }) => error.code);
    await connection.abandon(NO_ITEM).catch(() => {});
    syncs.shift()!();
    expect(await answer).toBe("OK");
    expect(await second).toBe(status.UNAVAILABLE);
    await expect(connection.start("third")).rejects.toMatchObject({
      code: status.UNAVAILABLE,
      details: expect.stringContaining("EIO: i/o error, fdatasync") as string,
    });
    await expect(connection.state("instance")).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(served.lost.map(({ message }) => message)).toEqual(["EIO: i/o error, fdatasync"]);
    expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
    served.stop();
    await served.open();
    expect(await served.connect().state("instance")).toMatchObject({ instanceid: "instance" });
  });
});

/** Task ids of the results that an episode takes in. */
function resultsOf(item: WorkItem | undefined): number[] {
  return item!.orchestratorrequest!.neweventsList.flatMap(({ taskcompleted }) => taskcompleted?.taskscheduledid ?? []);
}
