import { setTimeout as sleep } from "node:timers/promises";
import {
  NoOpLogger,
  OrchestrationStatus,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
  type OrchestrationContext,
} from "@microsoft/durabletask-js";
import { expect, test } from "vitest";
import { hubMetadata } from "../support/e2e/hub-inspector.js";
import { Workplace } from "../support/e2e/workplace.js";

const THREE_MINUTES_MS = 3 * 60_000;

test("an activity of three minutes runs once", async () => {
  const place = await Workplace.open();
  const emulator = place.start("emulator");
  await emulator.says(/listening for fanout on/u);
  const connection = {
    hostAddress: `unix:${place.socket}`,
    logger: new NoOpLogger(),
    metadataGenerator: async () => hubMetadata(),
  };
  let executions = 0;
  const worker = new TaskHubGrpcWorker(connection);
  worker.addNamedOrchestrator("Patient", async function* (context: OrchestrationContext) {
    return (yield context.callActivity("Slow")) as unknown;
  });
  worker.addNamedActivity("Slow", async () => {
    executions += 1;
    await sleep(THREE_MINUTES_MS);
    return "done at last";
  });
  await worker.start();
  const client = new TaskHubGrpcClient(connection);
  const instanceId = await client.scheduleNewOrchestration("Patient");
  const state = await client.waitForOrchestrationCompletion(instanceId, true, (THREE_MINUTES_MS + 60_000) / 1_000);
  expect(state).toMatchObject({
    runtimeStatus: OrchestrationStatus.COMPLETED,
    serializedOutput: JSON.stringify("done at last"),
  });
  expect(executions).toBe(1);
  expect(await place.runningEmulator()).toMatchObject({ redelivered: 0 });
  await Promise.all([client.stop(), worker.stop()]);
});
