/**
 * A worker of the faults' workload in a process of its own, idle until its parent says whose it is: so that one that was
 * killed is replaced at once. Needs the build.
 */
import { credentials } from "@grpc/grpc-js";
import { NoOpLogger, TaskHubGrpcWorker } from "@microsoft/durabletask-js";
import { pause } from "../../dist/backend/call-retry.js";
import { channelOptions } from "../../dist/backend/channel-options.js";
import { startWorkerHost, type WorkerHostOptions } from "../../dist/worker/worker-host.js";
import { metadataOf } from "../support/emulator/raw-connection.js";
import { FilteredWorker } from "./filtered-worker.js";
import type { Choice } from "./plan.js";
import { HUBS } from "./scripts.js";
import { faultWorkload } from "./workload.js";

export interface WorkerOrder {
  readonly socket: string;
  readonly transport: WorkerTransport;
  readonly choice: Choice;
}

/**
 * How its calls get to the emulator. `sdk` is the SDK's own worker; `filtered` are two, one for orchestrators and one for
 * activities, that take some of them and few at a time.
 */
export type WorkerTransport = "link" | "http2" | "grpc-js" | "sdk" | "filtered";

const options = channelOptions("emulator");

process.on("disconnect", () => process.exit(0));
process.once("message", (order: WorkerOrder) => {
  // One for each task hub, as a connection of a worker is to one.
  for (const hub of HUBS) start(order, hub);
});
process.send?.({ ready: true });

function onViolation(violation: string): void {
  process.send?.({ violation });
}

function start({ socket, transport, choice }: WorkerOrder, hub: string): void {
  if (transport === "sdk") {
    void startSdkWorker(socket, hub);
  } else if (transport === "filtered") {
    for (const kind of ["episodes", "activities"] as const)
      void new FilteredWorker({ socket, hub, kind, choice, onViolation }).work();
  } else {
    startOwnWorker(socket, hub, transport);
  }
}

function startOwnWorker(socket: string, hub: string, transport: "link" | "http2" | "grpc-js"): void {
  const backend: WorkerHostOptions["backend"] = {
    target: {
      address: `unix:${socket}`,
      isSecure: false,
      credentials: credentials.createInsecure(),
      options,
      transport,
      metadata: (_role, workerId) => Promise.resolve(metadataOf(hub, workerId ?? "")),
    },
    connection: { kind: "emulator", taskHub: hub, source: "a test" },
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

async function startSdkWorker(socket: string, hub: string): Promise<void> {
  const worker = new TaskHubGrpcWorker({
    hostAddress: `unix:${socket}`,
    options,
    logger: new NoOpLogger(),
    metadataGenerator: () => Promise.resolve(metadataOf(hub, "sdk")),
  });
  for (const [name, orchestrator] of Object.entries(faultWorkload.orchestrators))
    worker.addNamedOrchestrator(name, orchestrator);

  for (const [name, activity] of Object.entries(faultWorkload.activities)) worker.addNamedActivity(name, activity);

  await worker.start();
}
