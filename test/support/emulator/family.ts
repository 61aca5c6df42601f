import type { OrchestrationContext, TaskHubGrpcClient } from "@microsoft/durabletask-js";
import type { Workload } from "./served-emulator.js";
import type { Steps } from "./protocol-hub.js";

/** An instance with sub-orchestrations: one that stays runs until it is terminated. */
export interface Member {
  readonly id: string;
  readonly stays?: boolean;
  readonly children?: readonly Member[];
}

/** Ends when those of its children have that do not stay. */
async function* member(context: OrchestrationContext, { stays, children = [] }: Member): Steps {
  const started = children.map((child) => ({
    child,
    task: context.callSubOrchestrator("member", child, { instanceId: child.id }),
  }));
  for (const { child, task } of started) if (child.stays !== true) yield task;

  if (stays === true) yield context.waitForExternalEvent("never");
  return "end";
}

/** What a worker has to run for families. */
export const FAMILY: Workload = { orchestrators: { member } };

/** Starts an instance with all that is below it; resolves when what does not stay has ended, and what stays has begun. */
export async function startFamily(client: TaskHubGrpcClient, head: Member): Promise<void> {
  await client.scheduleNewOrchestration("member", head, head.id);
  await settled(client, head);
}

async function settled(client: TaskHubGrpcClient, { id, stays, children = [] }: Member): Promise<void> {
  for (const child of children) await settled(client, child);
  await (stays === true ? client.waitForOrchestrationStart(id) : client.waitForOrchestrationCompletion(id));
}
