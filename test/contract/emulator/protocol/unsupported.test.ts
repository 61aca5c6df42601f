import { status } from "@grpc/grpc-js";
import { EntityInstanceId, OrchestrationStatus, type OrchestrationContext } from "@microsoft/durabletask-js";
import { Int32Value } from "google-protobuf/google/protobuf/wrappers_pb.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { complete, scheduleTask, type RawConnection } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import type { Steps } from "../../../support/emulator/protocol-hub.js";

let served: ServedEmulator;
let hub: RawConnection;

beforeEach(async () => {
  served = await ServedEmulator.start();
  hub = served.connect();
});

afterEach(() => {
  served.close();
});

describe("a call about entities is refused by its name:", () => {
  test.each([
    ["SignalEntity", new pb.SignalEntityRequest()],
    ["GetEntity", new pb.GetEntityRequest()],
    ["QueryEntities", new pb.QueryEntitiesRequest()],
    ["CleanEntityStorage", new pb.CleanEntityStorageRequest()],
    ["CompleteEntityTask", new pb.EntityBatchResult()],
    ["AbandonTaskEntityWorkItem", new pb.AbandonEntityTaskRequest()],
  ])("%s", async (method, request) => {
    await expect(hub.call(method, request, pb.CompleteTaskResponse)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: expect.stringContaining(method) as string,
    });
    await hub.start("instance");
    expect(await hub.state("instance")).toBeDefined();
  });

  test("the SDK's client hears of it", async () => {
    const entity = new EntityInstanceId("counter", "one");
    await expect(served.client().signalEntity(entity, "add")).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
    await expect(served.client().getEntity(entity)).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});

describe("an orchestrator that turns to an entity fails with the name of the action,", () => {
  const counter = new EntityInstanceId("counter", "one");
  const orchestrators = {
    signals: (context: OrchestrationContext): string => {
      context.entities.signalEntity(counter, "add", 1);
      return "signalled";
    },
    async *calls(context: OrchestrationContext): Steps {
      return yield context.entities.callEntity(counter, "get");
    },
  };

  test.each(Object.keys(orchestrators))("as one that %s it", async (name) => {
    await served.worker({ orchestrators });
    const client = served.client();
    const id = await client.scheduleNewOrchestration(name);
    const state = await client.waitForOrchestrationCompletion(id);
    expect(state?.runtimeStatus).toBe(OrchestrationStatus.FAILED);
    expect(state?.failureDetails?.message).toContain("sendEntityMessage");
  });
});

describe("a completion of an episode", () => {
  const parts: [string, (response: pb.OrchestratorResponse) => void][] = [
    [
      "isPartial",
      (response) => {
        response.setIspartial(true);
        response.setChunkindex(new Int32Value());
      },
    ],
    [
      "numEventsProcessed",
      (response) => {
        const processed = new Int32Value();
        processed.setValue(1);
        response.setNumeventsprocessed(processed);
      },
    ],
  ];

  test.each(parts)("with %s is refused by its name, and nothing of it is done", async (part, set) => {
    const worker = await hub.worker();
    await hub.start("instance");
    const item = await worker.item();
    await expect(hub.completeEpisode(item, [scheduleTask(1)], set)).rejects.toMatchObject({
      code: status.UNIMPLEMENTED,
      details: `CompleteOrchestratorTask: ${part} is not supported.`,
    });
    const again = await worker.item();
    expect(again.orchestratorrequest).toMatchObject({
      instanceid: "instance",
      pasteventsList: [],
      neweventsList: [{}, item.orchestratorrequest!.neweventsList[1]],
    });
    await hub.completeEpisode(again, [complete(1, "end")]);
    expect(await hub.state("instance")).toMatchObject({ output: { value: '"end"' } });
    expect((await hub.history("instance")).some(({ taskscheduled }) => taskscheduled !== undefined)).toBe(false);
  });
});
