import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import {
  complete,
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { failed } from "../../../support/emulator/protocol-actions.js";

let served: ServedEmulator;
/** The connection of the worker under test, over which a call is answered behind all that the worker was sent before. */
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  served.close();
});

type Kind = "episodes" | "activities";
const KINDS = ["episodes", "activities"] as const;

type Limits = Partial<Record<Kind, number>>;

async function limitedWorker(limits: Limits, connection = hub, filters?: pb.WorkItemFilters): Promise<RawWorker> {
  return connection.worker("limited", (request) => {
    request.setMaxconcurrentorchestrationworkitems(limits.episodes ?? 0);
    request.setMaxconcurrentactivityworkitems(limits.activities ?? 0);
    request.setWorkitemfilters(filters);
  });
}

/** A worker that takes so many of a kind, and nothing of the other. */
async function workerOf(kind: Kind, limit: number, connection = hub): Promise<RawWorker> {
  const filters = new pb.WorkItemFilters();
  if (kind === "episodes") filters.addOrchestrations().setName("Orchestrator");
  else for (const name of ["Activity", "often", "rare"]) filters.addActivities().setName(name);

  return limitedWorker({ [kind]: limit }, connection, filters);
}

/** Makes so many items of that kind ready, in order. No worker may be connected. */
async function makeReady(kind: Kind, count: number): Promise<void> {
  if (kind === "episodes") {
    for (let n = 1; n <= count; n += 1) await hub.start(`${n}`);
    return;
  }
  const worker = await hub.worker();
  await hub.start("instance");
  const episode = await worker.item();
  worker.cancel();
  // The answer comes behind the end of the stream.
  await hub.state("instance");
  await hub.completeEpisode(
    episode,
    Array.from({ length: count }, (_, n) => scheduleTask(n + 1)),
  );
}

function numberOf({ orchestratorrequest, activityrequest }: WorkItem): number {
  return Number(orchestratorrequest?.instanceid ?? activityrequest?.taskid);
}

async function finish(item: WorkItem): Promise<void> {
  await (item.activityrequest === undefined
    ? hub.completeEpisode(item, [complete(1, "end")])
    : hub.completeActivity(item, "result"));
}

async function fail(item: WorkItem): Promise<void> {
  const failure = new pb.TaskFailureDetails();
  failure.setErrortype("Error");
  failure.setErrormessage("not today");
  if (item.activityrequest === undefined) {
    await hub.completeEpisode(item, [failed(1, failure)]);
    return;
  }
  const response = new pb.ActivityResponse();
  response.setInstanceid("instance");
  response.setTaskid(item.activityrequest.taskid);
  response.setCompletiontoken(item.completiontoken);
  response.setFailuredetails(failure);
  await hub.call("CompleteActivityTask", response, pb.CompleteTaskResponse);
}

/** What has come to a worker by now, and is to come before anything that happens later. */
async function arrivedAt(worker: RawWorker): Promise<number> {
  await hub.state("instance");
  return worker.arrived;
}

describe.each(KINDS)("a worker with a limit of %s", (kind) => {
  test.each([1, 2])("of %i holds no more at a time, and gets all in their order", async (limit) => {
    await makeReady(kind, 6);
    const worker = await workerOf(kind, limit);
    const held: WorkItem[] = [];
    const numbers: number[] = [];
    while (numbers.length < 6) {
      held.push(await worker.item());
      numbers.push(numberOf(held.at(-1)!));
      expect(held.length + (await arrivedAt(worker))).toBe(Math.min(limit, 6 - numbers.length + held.length));
      if (held.length === limit) await finish(held.shift()!);
    }
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("leaves what it has no room for to another worker that has", async () => {
    await makeReady(kind, 5);
    const first = await workerOf(kind, 2);
    const second = await workerOf(kind, 2);
    expect([numberOf(await first.item()), numberOf(await first.item())]).toEqual([1, 2]);
    const third = await second.item();
    expect([numberOf(third), numberOf(await second.item())]).toEqual([3, 4]);
    await finish(third);
    expect(numberOf(await second.item())).toBe(5);
    expect(await arrivedAt(first)).toBe(0);
  });

  test("gets the next behind one that it gives back, and that one again in its turn", async () => {
    await makeReady(kind, 3);
    const worker = await workerOf(kind, 1);
    const first = await worker.item();
    await hub.abandon(first);
    const second = await worker.item();
    expect([numberOf(first), numberOf(second)]).toEqual([1, 2]);
    await finish(second);
    const third = await worker.item();
    await finish(third);
    expect([numberOf(third), numberOf(await worker.item())]).toEqual([3, 1]);
  });

  test("gets the next at once also behind one that is to rest, because it was refused before", async () => {
    await makeReady(kind, 2);
    const worker = await workerOf(kind, 1);
    const numbers: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const item = await worker.item();
      numbers.push(numberOf(item));
      await hub.abandon(item);
    }
    expect(numbers).toEqual([1, 2, 1]);
    expect(await arrivedAt(worker)).toBe(1);
    expect(numberOf(await worker.item())).toBe(2);
  });

  test("gets the next behind one that has failed", async () => {
    await makeReady(kind, 2);
    const worker = await workerOf(kind, 1);
    await fail(await worker.item());
    expect(numberOf(await worker.item())).toBe(2);
  });

  test("has room again for what was with a connection that was cut", async () => {
    await makeReady(kind, 3);
    const { connection, cut } = await served.connectCuttably();
    const lost = await workerOf(kind, 2, connection);
    const others = [numberOf(await lost.item()), numberOf(await lost.item())];
    const worker = await workerOf(kind, 1);
    const third = await worker.item();
    expect([...others, numberOf(third)]).toEqual([1, 2, 3]);
    cut();
    await finish(third);
    const again = await worker.item();
    await finish(again);
    expect(new Set([numberOf(again), numberOf(await worker.item())])).toEqual(new Set([1, 2]));
  });

  test("does not limit what is of the other kind", async () => {
    const other = KINDS.find((each) => each !== kind)!;
    await makeReady(other, 4);
    const worker = await limitedWorker({ [kind]: 1 });
    for (const expected of [1, 2, 3, 4]) expect(numberOf(await worker.item())).toBe(expected);
  });
});

test("a worker with a limit gets the next behind an episode whose completion was refused", async () => {
  await makeReady("episodes", 2);
  const worker = await limitedWorker({ episodes: 1 });
  const refused = hub.completeEpisode(await worker.item(), [], (response) => {
    response.setIspartial(true);
  });
  await expect(refused).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  const second = await worker.item();
  await finish(second);
  expect([numberOf(second), numberOf(await worker.item())]).toEqual([2, 1]);
});

test("activities of one name wait no longer than they have to for those of another", async () => {
  const starter = await hub.worker();
  await hub.start("instance");
  const episode = await starter.item();
  starter.cancel();
  const worker = await workerOf("activities", 1);
  const names = [...Array.from({ length: 10 }, () => "often"), "rare", ...Array.from({ length: 10 }, () => "often")];
  await hub.completeEpisode(
    episode,
    names.map((name, index) => scheduleTask(index + 1, name)),
  );
  for (let n = 1; n <= names.length; n += 1) {
    const item = await worker.item();
    expect([item.activityrequest?.taskid, item.activityrequest?.name]).toEqual([n, names[n - 1]]);
    await hub.completeActivity(item, n);
  }
});
