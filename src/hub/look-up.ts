import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { concurrently } from "../async/concurrently.js";
import { instanceStatusOf, type InstanceStatus } from "./instance-status.js";

const CONCURRENCY = 50;

/** The states of instances by their ids, in the requested order. */
export interface LookedUp {
  readonly instances: readonly InstanceStatus[];
  /** Ids that the hub does not know. */
  readonly unknown: readonly string[];
}

/** Reads each instance with a call of its own, at most 50 at a time. A repeated id is read once. */
export async function lookUp(
  client: OrchestrationClient,
  instanceIds: readonly string[],
  signal: AbortSignal,
): Promise<LookedUp> {
  const ids = [...new Set(instanceIds)];
  const found = new Map<string, InstanceStatus>();
  await concurrently(ids, CONCURRENCY, signal, async (id) => {
    const state = await client.getInstance(id, { payloads: true, signal });
    if (state) found.set(id, instanceStatusOf(state));
  });
  signal.throwIfAborted();
  return {
    instances: ids.flatMap((id) => found.get(id) ?? []),
    unknown: ids.filter((id) => !found.has(id)),
  };
}
