import type { Backend } from "../backend/backend.js";
import { isMissingCall } from "../backend/missing-call.js";
import { UsageError } from "../errors.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdOf, instanceIdPrefixOf } from "../plan/run-id.js";

const CALLS_AT_ONCE = 20;
/**
 * If the hub cannot be queried by prefix, the run asks for this many of the first instances, because some starts may be
 * refused.
 */
const FIRST = 10;

/**
 * Refuses chosen run ids that already have instances on the hub. Starts would find their ids taken, and counts by
 * prefix would include both.
 * @throws UsageError that names the first such id
 */
export async function requireFreeRunIds(
  { client, connection, displayName }: Backend,
  runIds: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  await concurrently(runIds, CALLS_AT_ONCE, signal, async (runId) => {
    if (!(await isTaken(client, runId, signal))) return;
    throw new UsageError(
      "run-id-taken",
      `--run-id: expected an id that is not in use, found that task hub ${connection.taskHub} on ${displayName} has ` +
        `instances of ${runId} already`,
      { hint: `choose another one, or delete them with: fanout purge --run ${runId} --terminate` },
    );
  });
}

async function isTaken(client: Backend["client"], runId: string, signal: AbortSignal): Promise<boolean> {
  try {
    const query = { instanceIdPrefix: instanceIdPrefixOf(runId), pageSize: 1 };
    const { instances, continuationToken } = await client.queryInstances(query, { signal });
    return instances.length > 0 || continuationToken !== undefined;
  } catch (error) {
    if (!isMissingCall(error)) throw error;
    const ids = Array.from({ length: FIRST }, (_, sequence) => instanceIdOf(runId, sequence));
    const states = await Promise.all(ids.map((id) => client.getInstance(id, { signal })));
    return states.some((state) => state !== undefined);
  }
}
