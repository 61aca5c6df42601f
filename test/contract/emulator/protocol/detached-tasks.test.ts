import type { OrchestrationContext } from "@microsoft/durabletask-js";
import { describe, expect, test } from "vitest";
import {
  complete,
  continueAsNew,
  scheduleTask,
  stringValue,
  type WorkItem,
} from "../../../support/emulator/raw-connection.js";
import { terminated } from "../../../support/emulator/protocol-actions.js";
import { ProtocolHub, WITH_AND_WITHOUT_RESTART } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

/** Ways for an execution to end without waiting for an activity that it has asked for. */
const ENDINGS = [
  ["completes", complete(2, "end"), false],
  ["continues as new", continueAsNew(2, "next"), true],
] as const;

describe.each(ENDINGS)("an activity that nobody waits for, as its orchestration %s", (_, ending, goesOn) => {
  test("is run all the same, once", async () => {
    await hub.raw.start("parent");
    const worker = await hub.raw.worker();
    await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1), ending]);
    const items = [await worker.item()];
    if (goesOn) items.push(await worker.item());
    const item = items.find(({ activityrequest }) => activityrequest !== undefined)!;
    expect(item.activityrequest).toMatchObject({ taskid: 1, orchestrationinstance: { instanceid: "parent" } });
    await hub.raw.completeActivity(item, "done");

    await hub.restart();
    await hub.raw.start("fence");
    const later = await hub.raw.worker();
    const next = [await later.item(), ...(goesOn ? [await later.item()] : [])];
    expect(next.map(({ activityrequest }) => activityrequest)).toEqual(next.map(() => undefined));
  });

  test("is run after a restart of the emulator as well", async () => {
    await hub.raw.start("parent");
    const worker = await hub.raw.worker();
    const episode = await worker.item();
    const execution = episode.orchestratorrequest!.executionid!.value;
    worker.cancel();
    await hub.raw.completeEpisode(episode, [scheduleTask(1), ending]);

    await hub.restart();
    const later = await hub.raw.worker();
    const items = [await later.item()];
    if (items[0]!.activityrequest === undefined) items.push(await later.item());
    expect(items.at(-1)!.activityrequest).toMatchObject({
      taskid: 1,
      orchestrationinstance: { instanceid: "parent", executionid: { value: execution } },
    });
  });

  test("goes to another worker when the connection of its own is cut", async () => {
    await hub.raw.start("parent");
    const { connection, cut } = await hub.cuttable();
    const worker = await connection.worker();
    await connection.completeEpisode(await worker.item(), [scheduleTask(1), ending]);
    const first = await worker.item();
    const activity = first.activityrequest === undefined ? await worker.item() : first;
    cut();
    const other = await hub.raw.worker("other");
    const again = await other.item();
    const found = again.activityrequest === undefined ? await other.item() : again;
    expect(found.activityrequest).toEqual(activity.activityrequest);
    expect(found.completiontoken).not.toBe(activity.completiontoken);
  });
});

test.each(WITH_AND_WITHOUT_RESTART)(
  "an activity of an instance that was terminated is not begun%s",
  async (_, restart) => {
    await hub.raw.start("parent");
    const worker = await hub.raw.worker();
    await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1), terminated(2)]);
    if (restart) await hub.restart();
    await hub.raw.start("fence");
    const next = await (restart ? await hub.raw.worker() : worker).item();
    expect(next.orchestratorrequest?.instanceid).toBe("fence");
  },
);

test("an orchestrator of the SDK need not wait for an activity that it has called", async () => {
  const called = Promise.withResolvers<unknown>();
  await hub.worker({
    orchestrators: {
      notifies: (context: OrchestrationContext) => {
        context.callActivity("notify", "all");
        return "over";
      },
    },
    activities: { notify: (_context, input) => called.resolve(input) },
  });
  await hub.client.scheduleNewOrchestration("notifies", undefined, "notifies");
  expect(await hub.end("notifies")).toMatchObject({ status: "COMPLETED", output: "over" });
  expect(await called.promise).toBe("all");
});

test("activities of two instances with one id and one execution id are run for both", async () => {
  const worker = await hub.raw.worker();
  const activities: WorkItem[] = [];
  while (activities.length < 2) {
    await hub.raw.start("instance", "Orchestrator", (request) => request.setExecutionid(stringValue("chosen")));
    await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1), complete(2, "end")]);
    activities.push(await worker.item());
    await hub.client.purgeOrchestration("instance");
  }
  for (const activity of activities) await hub.raw.completeActivity(activity, "done");
  await hub.restart();
  await hub.raw.start("fence");
  expect((await (await hub.raw.worker()).item()).orchestratorrequest?.instanceid).toBe("fence");
});
