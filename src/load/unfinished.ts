import type { OrchestrationClient } from "../backend/orchestration-client.js";
import type { StuckInstance } from "../result/run-result.js";
import { concurrently } from "../async/concurrently.js";
import { iterationProgressOf } from "../hub/iteration-progress.js";

const CONCURRENCY = 50;
const LISTED = 100;
const LIST_PATIENCE_MS = 2_000;

/** Describes at most 100 unfinished instances, with what the backend reports within two seconds. */
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
