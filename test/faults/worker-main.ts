/**
 * A worker of the faults' workload in a process of its own, idle until its parent says whose it is: so that one that was
 * killed is replaced at once. Needs the build.
 */
import { credentials, Metadata } from "@grpc/grpc-js";
import { NoOpLogger, TaskHubGrpcWorker } from "@microsoft/durabletask-js";
import { pause } from "../../dist/backend/call-retry.js";
import { channelOptions } from "../../dist/backend/channel-options.js";
import { startWorkerHost, type WorkerHostOptions } from "../../dist/worker/worker-host.js";
import { faultWorkload } from "./workload.js";

/** Where it works, and how its calls get there; `sdk` is the SDK's own worker. */
export interface WorkerOrder {
  readonly socket: string;
  readonly transport: WorkerTransport;
}

export type WorkerTransport = "link" | "http2" | "grpc-js" | "sdk";

const TASK_HUB = "default";
const options = channelOptions("emulator");

process.on("disconnect", () => process.exit(0));
process.once("message", (order: WorkerOrder) => {
  void (order.transport === "sdk" ? startSdkWorker(order.socket) : startOwnWorker(order.socket, order.transport));
});
process.send?.({ ready: true });

function startOwnWorker(socket: string, transport: Exclude<WorkerTransport, "sdk">): void {
  const backend: WorkerHostOptions["backend"] = {
    target: {
      address: `unix:${socket}`,
      credentials: credentials.createInsecure(),
      options,
      transport,
      metadata: (_role, workerId) => Promise.resolve(metadataOf(workerId ?? "")),
    },
    connection: { kind: "emulator", taskHub: TASK_HUB, source: "a test" },
    recover: pause,
    admin: undefined,
  };
  startWorkerHost({
    backend,
    workload: faultWorkload,
    onEvent: (event) => {
      const told = event.type === "connected" ? "" : event.type === "lost" ? event.reason : event.message;
      process.stderr.write(`${event.type} ${told}\n`);
    },
  });
}

async function startSdkWorker(socket: string): Promise<void> {
  const worker = new TaskHubGrpcWorker({
    hostAddress: `unix:${socket}`,
    options,
    logger: new NoOpLogger(),
    metadataGenerator: () => Promise.resolve(metadataOf("sdk")),
  });
  for (const [name, orchestrator] of Object.entries(faultWorkload.orchestrators)) {
    worker.addNamedOrchestrator(name, orchestrator);
  }
  for (const [name, activity] of Object.entries(faultWorkload.activities)) {
    worker.addNamedActivity(name, activity);
  }
  await worker.start();
}

function metadataOf(workerId: string): Metadata {
  const metadata = new Metadata();
  metadata.set("taskhub", TASK_HUB);
  metadata.set("workerid", workerId);
  return metadata;
}
