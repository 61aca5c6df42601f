import { statSync } from "node:fs";
import path from "node:path";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { failNext } from "../../../support/emulator/failing-store.js";
import {
  complete,
  scheduleTask,
  type RawConnection,
  type RawWorker,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

/** What the emulator says it has done and holds. */

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

function figures(): readonly [orchestrations: number, activities: number, inFlight: number] {
  const { orchestrationsEnded, activitiesCompleted, inFlight } = served.emulator.status();
  return [orchestrationsEnded, activitiesCompleted, inFlight];
}

test("an orchestration counts when it ends, an activity when its result is taken in", async () => {
  await connection.start("instance");
  expect(figures()).toEqual([0, 0, 1]);
  await connection.completeEpisode(await worker.item(), [scheduleTask(1)]);
  expect(figures()).toEqual([0, 0, 1]);
  await connection.completeActivity(await worker.item(), "result");
  expect(figures()).toEqual([0, 1, 1]);
  await connection.completeEpisode(await worker.item(), [complete(2, "end")]);
  expect(figures()).toEqual([1, 1, 0]);
});

test("what was not written does not count until it is", async () => {
  const full = { code: status.RESOURCE_EXHAUSTED };
  await connection.start("instance");
  await connection.completeEpisode(await worker.item(), [scheduleTask(1)]);
  failNext(served.store, "commit");
  await expect(connection.completeActivity(await worker.item(), "lost")).rejects.toMatchObject(full);
  expect(figures()).toEqual([0, 0, 1]);
  await connection.completeActivity(await worker.item(), "again");
  failNext(served.store, "commit");
  await expect(connection.completeEpisode(await worker.item(), [complete(2, "lost")])).rejects.toMatchObject(full);
  expect(figures()).toEqual([0, 1, 1]);
  await connection.completeEpisode(await worker.item(), [complete(2, "again")]);
  expect(figures()).toEqual([1, 1, 0]);
});

test("a completion that is refused does not count, nor does a result that nobody waits for any more", async () => {
  await connection.start("instance");
  await connection.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const activity = await worker.item();
  const terminate = new pb.TerminateRequest();
  terminate.setInstanceid("instance");
  await connection.call("TerminateInstance", terminate, pb.TerminateResponse);
  const last = await worker.item();
  await connection.completeEpisode(last, [complete(2, "end")]);
  expect(figures()).toEqual([1, 0, 0]);
  await connection.completeActivity(activity, "too late");
  await expect(connection.completeEpisode(last, [complete(2, "twice")])).rejects.toMatchObject({
    code: status.NOT_FOUND,
  });
  expect(figures()).toEqual([1, 0, 0]);
});

test("the hubs are counted together, and what an earlier process did is not", async () => {
  const other = served.connect("other");
  const otherWorker = await other.worker();
  for (const [each, its] of [
    [connection, worker],
    [other, otherWorker],
  ] as const) {
    await each.start("instance");
    await each.completeEpisode(await its.item(), [complete(1, "end")]);
    await each.start("in flight");
  }
  expect(figures()).toEqual([2, 0, 2]);
  expect(served.emulator.figures().workers).toBe(2);
  served.stop();
  await served.open();
  expect(figures()).toEqual([0, 0, 2]);
});

test("the size of the store is that of its files, and its clients are told", async () => {
  const bytes = (name: string): number => statSync(path.join(served.folder, name)).size;
  const { storeBytes } = await served.admin().status();
  expect(storeBytes).toBe(bytes("emulator.db") + bytes("emulator.db-wal"));
  expect(storeBytes).toBeGreaterThan(0);
});
