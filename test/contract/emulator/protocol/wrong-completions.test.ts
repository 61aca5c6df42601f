import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { complete, scheduleTask } from "../../../support/emulator/raw-connection.js";
import { ProtocolHub } from "../../../support/emulator/protocol-hub.js";

const hub = ProtocolHub.forEachTest();

test.each([
  ["completed in part", true, false],
  ["given back for its history", false, true],
])("an activity that is %s as an episode stays with its worker", async (_, isPartial, requiresHistory) => {
  const worker = await hub.raw.worker();
  await hub.raw.start("instance");
  await hub.raw.completeEpisode(await worker.item(), [scheduleTask(1)]);
  const item = await worker.item();
  const asEpisode = hub.raw.completeEpisode(item, [complete(1, "end")], (response) => {
    response.setIspartial(isPartial);
    response.setRequireshistory(requiresHistory);
  });
  await expect(asEpisode).rejects.toMatchObject({ code: isPartial ? status.UNIMPLEMENTED : status.NOT_FOUND });
  await hub.raw.completeActivity(item, 1);
  expect((await worker.item()).orchestratorrequest?.instanceid).toBe("instance");
});
