import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  complete,
  scheduleTask,
  type RawConnection,
  type RawWorker,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";

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

/** The next work item, as an SDK has it that does not know of tokens. */
async function tokenless(): Promise<WorkItem> {
  return { ...(await worker.item()), completiontoken: "" };
}

describe("SDKs from before there were completion tokens", () => {
  test("complete episodes and activities by the ids of their connection's work items", async () => {
    await connection.start("some");
    await connection.start("other");
    const [some, other] = [await tokenless(), await tokenless()];
    await connection.completeEpisode(other, [scheduleTask(1), scheduleTask(2)]);
    await connection.completeEpisode(some, [complete(1, "end of some")]);
    const [first, second] = [await tokenless(), await tokenless()];
    await connection.completeActivity(second, "second");
    await connection.completeActivity(first, "first");
    const results = new Map<number | undefined, string | undefined>();
    while (results.size < 2) {
      const episode = await tokenless();
      for (const { taskcompleted } of episode.orchestratorrequest!.neweventsList)
        if (taskcompleted) results.set(taskcompleted.taskscheduledid, taskcompleted.result?.value);

      await connection.completeEpisode(episode, results.size < 2 ? [] : [complete(3, "end of other")]);
    }
    expect(results).toEqual(
      new Map([
        [first.activityrequest!.taskid, '"first"'],
        [second.activityrequest!.taskid, '"second"'],
      ]),
    );
    expect((await connection.state("some"))?.output?.value).toBe('"end of some"');
    expect((await connection.state("other"))?.output?.value).toBe('"end of other"');
  });

  test("cannot complete what another connection holds, nor the same twice", async () => {
    await connection.start("instance");
    const item = await tokenless();
    const end = [complete(1, "end")];
    await expect(served.connect().completeEpisode(item, end)).rejects.toMatchObject({ code: status.NOT_FOUND });
    await connection.completeEpisode(item, end);
    await expect(connection.completeEpisode(item, end)).rejects.toMatchObject({ code: status.NOT_FOUND });
  });
});
