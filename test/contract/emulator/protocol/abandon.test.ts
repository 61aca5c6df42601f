import { status } from "@grpc/grpc-js";
import { VersionFailureStrategy, VersionMatchStrategy, type OrchestrationContext } from "@microsoft/durabletask-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  complete,
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import { endAtOnce } from "../../../support/emulator/end-at-once.js";

let served: ServedEmulator;
/** The connection of the worker that refuses: a call over it is answered behind all that the worker was sent before. */
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  vi.useRealTimers();
  served.close();
});

const KINDS = ["episode", "activity"] as const;

/** A worker and an item of that kind that it holds. */
async function holding(kind: (typeof KINDS)[number], instanceId = "instance"): Promise<[RawWorker, WorkItem]> {
  const worker = await hub.worker("refusing");
  await hub.start(instanceId);
  const episode = await worker.item();
  if (kind === "episode") return [worker, episode];
  await hub.completeEpisode(episode, [scheduleTask(1)]);
  return [worker, await worker.item()];
}

async function arrivedAt(worker: RawWorker): Promise<number> {
  await hub.state("instance");
  return worker.arrived;
}

describe.each(KINDS)("an %s", (kind) => {
  test("that is refused again and again rests longer each time before it is sent again", async () => {
    const [worker, first] = await holding(kind);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    let item = first;
    for (const restMs of [0, 50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      await hub.abandon(item);
      if (restMs > 0) {
        vi.advanceTimersByTime(restMs - 1);
        expect(await arrivedAt(worker)).toBe(0);
        vi.advanceTimersByTime(1);
      }
      item = await worker.item();
    }
  });

  test("that is refused goes round the workers that have not refused it", async () => {
    const [refusing, item] = await holding(kind);
    const others = [await served.connect().worker("second"), await served.connect().worker("third")];
    const received = others.map((worker) => worker.item());
    await hub.abandon(item);
    await hub.abandon(await Promise.race(received));
    await Promise.all(received);
    expect(await arrivedAt(refusing)).toBe(0);
  });

  test("that rests when the emulator stops is there at once when it is served anew", async () => {
    const [worker, item] = await holding(kind);
    await hub.abandon(item);
    await hub.abandon(await worker.item());
    served.stop();
    await served.open();
    const next = await (await served.connect().worker()).item();
    expect(next.activityrequest?.taskid ?? next.orchestratorrequest?.instanceid).toBe(
      kind === "activity" ? 1 : "instance",
    );
  });

  test("that rests when its instance is ended is not sent again", async () => {
    const [worker, item] = await holding(kind);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    await hub.abandon(item);
    await hub.abandon(await worker.item());
    await endAtOnce(hub, ["instance"]);
    vi.advanceTimersByTime(10_000);
    await hub.start("other");
    expect((await worker.item()).orchestratorrequest?.instanceid).toBe("other");
    expect(await arrivedAt(worker)).toBe(0);
  });

  test("is refused with its token, once", async () => {
    const [, item] = await holding(kind);
    await hub.abandon(item);
    await expect(hub.abandon(item)).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining(`'${item.completiontoken}'`) as string,
    });
  });
});

test("refusing one work item makes no other one rest", async () => {
  const [worker, episode] = await holding("episode");
  await hub.completeEpisode(
    episode,
    Array.from({ length: 20 }, (_, n) => scheduleTask(n + 1)),
  );
  const items: WorkItem[] = [];
  while (items.length < 20) items.push(await worker.item());
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  for (const item of items) await hub.abandon(item);
  expect(await arrivedAt(worker)).toBe(20);
});

test("an instance stays with the worker that took what another had refused", async () => {
  const [refusing, item] = await holding("episode");
  const other = await served.connect().worker("other");
  await hub.abandon(item);
  await hub.completeEpisode(await other.item(), [scheduleTask(1)]);
  await hub.completeActivity(await other.item(), "done");
  await hub.completeEpisode(await other.item(), [complete(2, "end")]);
  expect(await arrivedAt(refusing)).toBe(0);
});

async function versionWorker(version: string): Promise<void> {
  const which = (context: OrchestrationContext): string => `${context.version} on ${version}`;
  await served.worker({ orchestrators: { which } }, "hub", {
    versioning: {
      version,
      matchStrategy: VersionMatchStrategy.Strict,
      failureStrategy: VersionFailureStrategy.Reject,
    },
  });
}

async function outputs(ids: readonly string[]): Promise<unknown[]> {
  const client = served.client();
  const states = await Promise.all(ids.map((id) => client.waitForOrchestrationCompletion(id)));
  return states.map((state) => JSON.parse(state?.serializedOutput ?? "null") as unknown);
}

async function startAll(versions: readonly string[]): Promise<string[]> {
  const client = served.client();
  return Promise.all(versions.map((version) => client.scheduleNewOrchestration("which", undefined, { version })));
}

describe("a worker of the SDK that rejects other versions", () => {
  test("leaves them to a worker that has them, beside it", async () => {
    await versionWorker("1.0.0");
    await versionWorker("2.0.0");
    const versions = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? "1.0.0" : "2.0.0"));
    expect(await outputs(await startAll(versions))).toEqual(versions.map((version) => `${version} on ${version}`));
  });

  test("leaves them to a worker that comes later", async () => {
    await versionWorker("1.0.0");
    const [later, now] = await startAll(["2.0.0", "1.0.0"]);
    expect(await outputs([now!])).toEqual(["1.0.0 on 1.0.0"]);
    await versionWorker("2.0.0");
    expect(await outputs([later!])).toEqual(["2.0.0 on 2.0.0"]);
  });
});
