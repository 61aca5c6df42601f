import { expect, test } from "vitest";
import { GetWorkItemsRequestSchema } from "../../../src/protocol/durabletask_pb.js";
import { readMessage } from "../../../src/protocol/messages.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { writeWorkItemsRequest } from "../../../src/protocol/work-items-request.js";

test("what a worker asks for is read by the stubs, and by the emulator with the fields of our own", () => {
  const bytes = writeWorkItemsRequest({
    orchestrators: ["A", "B"],
    activities: ["C"],
    mostOrchestrators: 200,
    mostActivities: 2_000,
    replaysAlways: true,
  });
  const request = pb.GetWorkItemsRequest.deserializeBinary(bytes).toObject();
  expect(request).toMatchObject({ maxconcurrentorchestrationworkitems: 200, maxconcurrentactivityworkitems: 2_000 });
  expect(request.workitemfilters).toMatchObject({
    orchestrationsList: [{ name: "A" }, { name: "B" }],
    activitiesList: [{ name: "C" }],
    entitiesList: [],
  });
  expect(readMessage(GetWorkItemsRequestSchema, bytes)).toMatchObject({
    keepsResults: true,
    replaysAlways: true,
  });
});
