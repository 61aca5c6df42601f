import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { spawnEmulator, type EmulatorProcess } from "../../../support/emulator/emulator-process.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  RawConnection,
  complete,
  continueAsNew,
  createTimer,
  scheduleTask,
  timestampOf,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { FAKETIME_LIBRARY, canMoveClock } from "../../../support/movable-clock.js";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

let folder: string;
let emulator: EmulatorProcess;
let connection: RawConnection;

beforeEach(async () => {
  if (!canMoveClock) return;
  folder = mkdtempSync(path.join(tmpdir(), "fanout-clock-"));
  setClock(0);
  emulator = await spawnEmulator(folder, {
    env: {
      LD_PRELOAD: FAKETIME_LIBRARY,
      FAKETIME_TIMESTAMP_FILE: clockFile(),
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    },
  });
  connection = new RawConnection(`unix:${path.join(folder, "emulator.sock")}`, "hub");
});

afterEach(async () => {
  if (!canMoveClock) return;
  connection.close();
  emulator.child.kill("SIGKILL");
  await emulator.exited;
  rmSync(folder, { recursive: true });
});

function clockFile(): string {
  return path.join(folder, "clock");
}

/** Sets the system's clock as the emulator sees it. */
function setClock(aheadMs: number): void {
  writeFileSync(clockFile(), `${aheadMs < 0 ? "" : "+"}${aheadMs / 1000}`);
}

function msOf(timestamp: { readonly seconds: number; readonly nanos: number } | undefined): number {
  return timestamp === undefined ? NaN : timestamp.seconds * 1000 + timestamp.nanos / 1e6;
}

/** What an episode is told that it begins at, and which timers have fired. */
function seenBy({ orchestratorrequest }: WorkItem): { startedMs: number; fired: number[] } {
  const events = orchestratorrequest!.neweventsList;
  const started = events.find(({ orchestratorstarted }) => orchestratorstarted !== undefined);
  const fired = events.flatMap(({ timerfired }) => timerfired?.timerid ?? []);
  return { startedMs: msOf(started?.timestamp), fired };
}

describe.skipIf(!canMoveClock)("an emulator whose system's clock is set", () => {
  test("forward wakes in seconds what has become due by it", async () => {
    const worker = await connection.worker();
    const dueMs = Date.now() + HOUR_MS;
    await connection.start("waits for a timer");
    await connection.completeEpisode(await worker.item(), [createTimer(1, dueMs)]);
    setClock(HOUR_MS);
    const woken = await worker.item();
    expect(seenBy(woken).fired).toEqual([1]);
    expect(seenBy(woken).startedMs).toBeGreaterThanOrEqual(dueMs);
    expect(seenBy(woken).startedMs).toBeLessThan(dueMs + 60 * SECOND_MS);
  });

  test("forward starts in seconds what was scheduled for then", async () => {
    const worker = await connection.worker();
    const dueMs = Date.now() + HOUR_MS;
    await connection.start("scheduled", "Orchestrator", (request) => {
      request.setScheduledstarttimestamp(timestampOf(dueMs));
    });
    setClock(HOUR_MS);
    const begun = await worker.item();
    expect(begun.orchestratorrequest!.instanceid).toBe("scheduled");
    expect(seenBy(begun).startedMs).toBeGreaterThanOrEqual(dueMs);
  });

  test("back holds up nothing that was scheduled for later and has begun", async () => {
    const worker = await connection.worker();
    await connection.start("scheduled", "Orchestrator", (request) => {
      request.setScheduledstarttimestamp(timestampOf(Date.now() + HOUR_MS));
    });
    setClock(HOUR_MS);
    const begun = await worker.item();
    setClock(0);
    await connection.completeEpisode(begun, [scheduleTask(1)]);
    await connection.completeActivity(await worker.item(), "result");
    await connection.completeEpisode(await worker.item(), [continueAsNew(2, "next")]);
    expect((await worker.item()).orchestratorrequest!.instanceid).toBe("scheduled");
  });

  test("back by seconds fires no timer early, and no history goes back", async () => {
    const worker = await connection.worker();
    const dueMs = Date.now() + SECOND_MS;
    await connection.start("waits for a timer");
    const first = await worker.item();
    setClock(-5 * SECOND_MS);
    await connection.completeEpisode(first, [createTimer(1, dueMs)]);
    const woken = await worker.item();
    expect(seenBy(woken).fired).toEqual([1]);
    expect(seenBy(woken).startedMs).toBeGreaterThanOrEqual(dueMs);
    await connection.completeEpisode(woken, [complete(2, "done")]);
    const history = await connection.history("waits for a timer");
    const timesOf = (type: keyof (typeof history)[number]): number[] =>
      history.filter((event) => event[type] !== undefined).map(({ timestamp }) => msOf(timestamp));
    const [begun, wokenAt] = timesOf("orchestratorstarted");
    const times = [
      ...timesOf("executionstarted"),
      begun!,
      ...timesOf("timercreated"),
      ...timesOf("timerfired"),
      wokenAt!,
      ...timesOf("executioncompleted"),
    ];
    expect(times).toHaveLength(6);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });

  test("back by an hour lets nothing end before it was created", async () => {
    const worker = await connection.worker();
    const ids = ["ends", "is ended", "is suspended"];
    for (const id of ids) await connection.start(id);
    const item = await worker.item();
    setClock(-HOUR_MS);
    await connection.completeEpisode(item, [complete(1, "done")]);
    const batch = new pb.InstanceBatch();
    batch.setInstanceidsList(["is ended"]);
    const ending = new pb.SkipGracefulOrchestrationTerminationsRequest();
    ending.setInstancebatch(batch);
    await connection.call(
      "SkipGracefulOrchestrationTerminations",
      ending,
      pb.SkipGracefulOrchestrationTerminationsResponse,
    );
    const suspension = new pb.SuspendRequest();
    suspension.setInstanceid("is suspended");
    await connection.call("SuspendInstance", suspension, pb.SuspendResponse);
    const states = await Promise.all(ids.map(async (id) => (await connection.state(id))!));
    expect(states.map(({ orchestrationstatus }) => orchestrationstatus)).toEqual([
      pb.OrchestrationStatus.ORCHESTRATION_STATUS_COMPLETED,
      pb.OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED,
      pb.OrchestrationStatus.ORCHESTRATION_STATUS_SUSPENDED,
    ]);
    for (const { createdtimestamp, lastupdatedtimestamp, completedtimestamp } of states) {
      expect(msOf(lastupdatedtimestamp)).toBeGreaterThanOrEqual(msOf(createdtimestamp));
      if (completedtimestamp !== undefined)
        expect(msOf(completedtimestamp)).toBeGreaterThanOrEqual(msOf(createdtimestamp));
    }
    // What is new is of the new time.
    await connection.start("new");
    expect(msOf((await connection.state("new"))!.createdtimestamp)).toBeLessThan(Date.now() - HOUR_MS / 2);
  });
});
