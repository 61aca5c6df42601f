import { status } from "@grpc/grpc-js";
import {
  NoOpLogger,
  OrchestrationStatus,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
  type OrchestrationContext,
  type Task,
} from "@microsoft/durabletask-js";
import { expect, onTestFinished, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { FakeSidecar, activityItem, entityItem, orchestratorItem } from "../support/worker/fake-sidecar.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { hubMetadata } from "../support/e2e/hub-inspector.js";
import { Workplace } from "../support/e2e/workplace.js";

/** An application of somebody else. */
async function* BillingOrder(context: OrchestrationContext, order: unknown): AsyncGenerator<Task<unknown>, unknown> {
  const charged: unknown = yield context.callActivity("Charge", order);
  return charged;
}

const Charge = (_: unknown, order: unknown): string => `charged ${String(order)}`;

test("workers of every transport, and those of a run, do not touch the work of another application", async () => {
  const place = await Workplace.open();
  const workers = [place.start("worker --port 0"), place.start("worker --port 0 --transport http2")];
  for (const worker of workers) await worker.says(/Connected to the embedded emulator/u);
  const sdk = {
    hostAddress: `unix:${place.socket}`,
    logger: new NoOpLogger(),
    metadataGenerator: async () => hubMetadata(),
  };
  const client = new TaskHubGrpcClient(sdk);
  const id = await client.scheduleNewOrchestration("BillingOrder", 7, "order-7");
  await place.succeed("run --workers 1 --parallel-orchestrations 3");
  expect((await client.getOrchestrationState(id))?.runtimeStatus).toBe(OrchestrationStatus.PENDING);

  const application = new TaskHubGrpcWorker(sdk);
  application.addOrchestrator(BillingOrder);
  application.addActivity(Charge);
  await application.start();
  const state = await client.waitForOrchestrationCompletion(id, true, 30);
  expect(state).toMatchObject({ runtimeStatus: OrchestrationStatus.COMPLETED, serializedOutput: '"charged 7"' });
  await Promise.all([application.stop(), client.stop()]);
});

test("a backend that ignores filters gets foreign work back, later each time, and its name is reported once", async () => {
  const { sidecar, worker } = await workerOn();
  const stream = await sidecar.streams.next();
  const request = pb.GetWorkItemsRequest.deserializeBinary(stream.request).toObject();
  expect(request.workitemfilters).toEqual({
    orchestrationsList: [
      { name: "FanOutFanInOrchestration", versionsList: [] },
      { name: "FanOutFanInPartOrchestration", versionsList: [] },
    ],
    activitiesList: [{ name: "FanOutFanInActivity", versionsList: [] }],
    entitiesList: [],
  });

  stream.write(activityItem("Charge", 1));
  stream.write(entityItem("@counter@7"));
  const abandoned = [sidecar.requests.AbandonTaskActivityWorkItem, sidecar.requests.AbandonTaskEntityWorkItem];
  const [activity, entity] = await Promise.all(abandoned.map((inbox) => inbox.next()));
  expect(pb.AbandonActivityTaskRequest.deserializeBinary(activity!).getCompletiontoken()).toBe("token-1");
  expect(pb.AbandonEntityTaskRequest.deserializeBinary(entity!).getCompletiontoken()).toBe("token-entity");

  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    stream.write(orchestratorItem("BillingOrder", 7));
    const request = await sidecar.requests.AbandonTaskOrchestratorWorkItem.next();
    expect(pb.AbandonOrchestrationTaskRequest.deserializeBinary(request).getCompletiontoken()).toBe(
      "token-orchestrator",
    );
    times.push(performance.now());
  }
  const rests = times.slice(1).map((time, index) => time - times[index]!);
  for (const [index, rest] of rests.entries()) expect(rest).toBeGreaterThan(95 * 2 ** index);

  worker.kill("SIGTERM");
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  for (const name of ['orchestration "BillingOrder"', 'activity "Charge"', 'entity "counter"'])
    expect(stderr.split(`sent the ${name}, which this worker does not host: given back, not run`)).toHaveLength(2);

  expect(sidecar.requests.CompleteOrchestratorTask.isEmpty).toBe(true);
  expect(sidecar.requests.CompleteActivityTask.isEmpty).toBe(true);
});

test("a worker disconnects for a while from a backend without Abandon, so that foreign work returns", async () => {
  const { sidecar, worker } = await workerOn((fake) => {
    fake.answers.AbandonTaskOrchestratorWorkItem = (_, answer) => answer(status.UNIMPLEMENTED);
  });
  // It leaves after it was sent the item. When that is noticed here says less.
  let sentMs = 0;
  for (const awayMs of [0, 900]) {
    const stream = await sidecar.streams.next();
    expect(performance.now() - sentMs).toBeGreaterThan(awayMs);
    const left = new Promise((resolve) => stream.on("cancelled", resolve));
    sentMs = performance.now();
    stream.write(orchestratorItem("BillingOrder", 7));
    await left;
  }
  worker.kill("SIGTERM");
  const { stderr } = await worker.ended;
  expect(stderr.match(/has no call to give work back/gu)).toHaveLength(1);
  expect(stderr.match(/Connected to/gu)).toHaveLength(1);
  expect(stderr).not.toContain("No connection");
  expect(sidecar.requests.CompleteOrchestratorTask.isEmpty).toBe(true);
});

/** A worker that is connected to a backend of the test's own. */
async function workerOn(
  prepare: (sidecar: FakeSidecar) => void = () => {},
): Promise<{ readonly sidecar: FakeSidecar; readonly worker: FanoutProcess }> {
  const place = await Workplace.open();
  const sidecar = await FakeSidecar.create();
  onTestFinished(() => sidecar.close());
  prepare(sidecar);
  const port = await sidecar.start("127.0.0.1:0");
  const connection = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=default`;
  const worker = place.start("worker --port 0 --connection-string", connection);
  await worker.says(/Connected to/u);
  return { sidecar, worker };
}
