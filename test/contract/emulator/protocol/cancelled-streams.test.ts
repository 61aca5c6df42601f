import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { GrpcCall } from "../../../../src/emulator/transport/grpc/call.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { complete, scheduleTask, type RawConnection } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

const MIB = 1_048_576;

let served: ServedEmulator;
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  served.close();
});

describe("a cancelled stream of work items", () => {
  test("keeps what its worker holds, whose completions count", async () => {
    const [first, second] = [await hub.worker(), await served.connect().worker()];
    await hub.start("instance");
    const episode = await first.item();
    first.cancel();
    await hub.completeEpisode(episode, [scheduleTask(1), scheduleTask(2)]);
    const activities = [await second.item(), await second.item()];
    second.cancel();
    const third = await hub.worker();
    for (const activity of activities) await hub.completeActivity(activity, "done");
    const last = await third.item();
    expect(last.orchestratorrequest?.instanceid).toBe("instance");
    await hub.completeEpisode(last, [complete(3, "end")]);
    expect((await hub.state("instance"))?.output?.value).toBe('"end"');
    expect(third.arrived).toBe(0);
  });

  test("loses an episode that it does not complete in 30 s, and no activity; the late completion is refused", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const [first, other] = [await hub.worker(), served.connect()];
    await hub.start("instance");
    await hub.completeEpisode(await first.item(), [scheduleTask(1)]);
    const activity = await first.item();
    await hub.start("held");
    const episode = await first.item();
    first.cancel();
    await hub.state("instance");
    const second = await other.worker();
    vi.advanceTimersByTime(29_999);
    await other.state("instance");
    expect(second.arrived).toBe(0);
    vi.advanceTimersByTime(1);
    const again = await second.item();
    expect(again.orchestratorrequest?.instanceid).toBe("held");
    await expect(hub.completeEpisode(episode, [complete(1, "late")])).rejects.toMatchObject({
      code: status.NOT_FOUND,
      details: expect.stringContaining("stale") as string,
    });
    await other.completeEpisode(again, [complete(1, "end")]);
    expect((await hub.state("held"))?.output?.value).toBe('"end"');
    await hub.completeActivity(activity, "done");
    expect((await second.item()).orchestratorrequest?.instanceid).toBe("instance");
    expect(served.emulator.status().redelivered).toBe(1);
  });

  test("gets nothing more: what becomes ready goes to others", async () => {
    const worker = await hub.worker();
    worker.cancel();
    await hub.state("instance");
    await hub.start("instance");
    const other = await served.connect().worker();
    expect((await other.item()).orchestratorrequest?.instanceid).toBe("instance");
    expect(served.emulator.figures().workers).toBe(1);
  });
});

describe.each(["WaitForInstanceStart", "WaitForInstanceCompletion"])("a cancelled %s", (method) => {
  test.each([
    ["by its client", false],
    ["by the end of its connection", true],
  ])("leaves nothing behind that would be answered, cancelled %s", async (_, isCut) => {
    await hub.start("instance");
    const reads = vi.spyOn(served.store, "find");
    const { connection, cut } = await served.connectCuttably();
    const request = new pb.GetInstanceRequest();
    request.setInstanceid("instance");
    const abort = new AbortController();
    const wait = connection.call(method, request, pb.GetInstanceResponse, abort.signal);
    // It goes the same way: once it is answered, the other is waiting.
    await connection.state("elsewhere");
    expect(readsOf("instance")).toBe(0);
    if (isCut) {
      cut();
      await expect(wait).rejects.toMatchObject({ code: status.UNAVAILABLE });
    } else {
      abort.abort();
      await expect(wait).rejects.toMatchObject({ code: status.CANCELLED });
      await connection.state("elsewhere");
    }
    await expect.poll(() => served.emulator.status().connections).toBe(isCut ? 1 : 2);
    const worker = await hub.worker();
    await hub.completeEpisode(await worker.item(), [complete(1, "end")]);
    expect(readsOf("instance")).toBe(0);
    expect((await hub.state("instance"))?.output?.value).toBe('"end"');
    expect(readsOf("instance")).toBe(1);

    function readsOf(instanceId: string): number {
      return reads.mock.calls.filter(([, id]) => id === instanceId).length;
    }
  });
});

test("a cancelled history stream stops, and its connection goes on", async () => {
  const worker = await hub.worker();
  await hub.start("instance");
  const episode = await worker.item();
  worker.cancel();
  await hub.state("instance");
  const tasks = Array.from({ length: 8 }, (_, n) => scheduleTask(n + 1, "Activity", "x".repeat(1.2 * MIB)));
  await hub.completeEpisode(episode, tasks);
  const writes: ("in time" | "too late")[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- called as a method of each call
  const { write } = GrpcCall.prototype;
  vi.spyOn(GrpcCall.prototype, "write").mockImplementation(function (this: GrpcCall, message) {
    writes.push(this.isCancelled ? "too late" : "in time");
    return write.call(this, message);
  });
  const reader = served.connect();
  const stream = reader.historyStream("instance");
  stream.on("error", () => {});
  await new Promise((resolve) => stream.once("data", resolve));
  stream.cancel();
  await reader.state("instance");
  await reader.state("instance");
  expect(writes).not.toContain("too late");
  expect(writes.length).toBeLessThan(tasks.length);
});
