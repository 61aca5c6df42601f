import { setTimeout as sleep } from "node:timers/promises";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import type { StuckInstance } from "../stats/run-result.js";
import { concurrently } from "./concurrently.js";
import { iterationProgressOf } from "./progress.js";

const CONCURRENCY = 50;
const LISTED = 100;
const TERMINATE_PATIENCE_MS = 5_000;
const LIST_PATIENCE_MS = 2_000;

/**
 * Terminates instances and waits until `ended` resolves: five seconds for both together, for whoever pressed Ctrl-C
 * waits for it. An instance that is gone by then is as good as terminated.
 */
export async function terminateAll(
  client: OrchestrationClient,
  instanceIds: Promise<Iterable<string>>,
  ended: Promise<unknown>,
): Promise<void> {
  const timer = new AbortController();
  const signal = AbortSignal.any([timer.signal, AbortSignal.timeout(TERMINATE_PATIENCE_MS)]);
  const terminate = (instanceId: string): Promise<void> =>
    client.terminate(instanceId, "the run was interrupted", { signal }).catch(() => {});
  const terminated = instanceIds.then((ids) => concurrently(ids, CONCURRENCY, signal, terminate));
  const patience = sleep(TERMINATE_PATIENCE_MS, undefined, { signal }).catch(() => {});
  await Promise.race([Promise.all([terminated, ended]), patience]);
  timer.abort();
}

/** What at most 100 unfinished instances are doing, as far as the backend tells within two seconds. */
export async function describeUnfinished(
  client: OrchestrationClient,
  instanceIds: Iterable<string>,
): Promise<readonly StuckInstance[]> {
  const signal = AbortSignal.timeout(LIST_PATIENCE_MS);
  const listed = [...instanceIds].slice(0, LISTED);
  const known = new Map<string, StuckInstance>();
  await concurrently(listed, CONCURRENCY, signal, async (instanceId) => {
    const state = await client.getInstance(instanceId, { payloads: true, signal }).catch(() => undefined);
    if (!state) return;
    const iterationsCompleted = iterationProgressOf(state)?.iterationsCompleted;
    known.set(instanceId, {
      instanceId,
      status: state.status,
      ...(iterationsCompleted !== undefined && { iterationsCompleted }),
    });
  });
  return listed.map((instanceId) => known.get(instanceId) ?? { instanceId, status: "Unknown" });
}
