import { NoOpLogger, TaskHubGrpcClient, TaskHubGrpcWorker, type TOrchestrator } from "@microsoft/durabletask-js";
import { onTestFinished } from "vitest";
import { hubMetadata } from "./hub-inspector.js";
import type { Workplace } from "./workplace.js";

/** A worker of an application with its own orchestrations, and a client that sees their inputs. */
export async function applicationIn(
  place: Workplace,
  orchestrators: readonly TOrchestrator[],
): Promise<TaskHubGrpcClient> {
  await place.start("worker --port 0").says(/Connected to/u);
  const sdk = {
    hostAddress: `unix:${place.socket}`,
    logger: new NoOpLogger(),
    metadataGenerator: async () => hubMetadata(),
  };
  const worker = new TaskHubGrpcWorker(sdk);
  for (const orchestrator of orchestrators) worker.addOrchestrator(orchestrator);
  await worker.start();
  const client = new TaskHubGrpcClient(sdk);
  onTestFinished(async () => {
    await Promise.all([worker.stop(), client.stop()]);
  });
  return client;
}
