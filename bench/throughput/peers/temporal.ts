/** Temporal: each activity is a task of its own on the task queue of one worker. */
import { Client, Connection } from "@temporalio/client";
import { DefaultLogger, NativeConnection, Runtime, Worker } from "@temporalio/worker";
import path from "node:path";
import type { FanInTally } from "#peer-protocol";
import { performActivity } from "#peers/activity";
import type { OrchestrationInput } from "#peers/orchestration";
import { servePeer } from "#peers/serve-peer";

const TASK_QUEUE = "bench";
const address = process.env["TEMPORAL_ADDRESS"] ?? "";

Runtime.install({ logger: new DefaultLogger("WARN") });
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  taskQueue: TASK_QUEUE,
  workflowsPath: path.join(import.meta.dirname, "temporal-workflow.ts"),
  activities: { perform: performActivity },
});
void worker.run();

const client = new Client({ connection: await Connection.connect({ address }) });
servePeer({
  orchestrate: (input: OrchestrationInput) =>
    client.workflow.execute("orchestrate", {
      taskQueue: TASK_QUEUE,
      workflowId: input.instanceId,
      args: [input],
    }) as Promise<FanInTally>,
});
