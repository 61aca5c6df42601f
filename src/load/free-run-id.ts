import type { Backend } from "../backend/backend.js";
import { isMissingCall } from "../backend/missing-call.js";
import { UsageError } from "../errors.js";
import { concurrently } from "../async/concurrently.js";
import { sequenceOfShard, type Shard } from "../result/shard.js";
import { instanceIdOf, instanceIdPrefixOf } from "../plan/run-id.js";

const CALLS_AT_ONCE = 20;
/**
 * If the hub cannot be queried by prefix, the run asks for this many of the first instances, because some starts may be
 * refused.
 */
const FIRST = 10;

/**
 * Refuses chosen run ids that already have instances on the hub. Starts would find their ids taken, and counts by
 * prefix would include both. Of a shard only its own first instances are asked for: the others may run already.
 * @throws UsageError that names the first such id
 */
export async function requireFreeRunIds(
  { client, connection, displayName }: Backend,
  runIds: readonly string[],
  shard: Shard | undefined,
  signal: AbortSignal,
): Promise<void> {
  await concurrently(runIds, CALLS_AT_ONCE, signal, async (runId) => {
    const taken = await isTaken(client, runId, shard, signal).catch((error: unknown) => {
      // Whoever interrupted it asked for no answer.
      if (!signal.aborted) throw error;
      return false;
    });
    if (!taken) return;
    throw new UsageError(
      "run-id-taken",
      `--run-id: expected an id that is not in use, found that task hub ${connection.taskHub} on ${displayName} has ` +
        `instances of ${runId} already`,
      { hint: `choose another one, or delete them with: fanout purge --run ${runId} --terminate` },
    );
  });
}

async function isTaken(
  client: Backend["client"],
  runId: string,
  shard: Shard | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  if (shard !== undefined) return hasOneOfTheFirst(client, runId, shard, signal);
  try {
    const query = { instanceIdPrefix: instanceIdPrefixOf(runId), pageSize: 1 };
    const { instances, continuationToken } = await client.queryInstances(query, { signal });
    return instances.length > 0 || continuationToken !== undefined;
  } catch (error) {
    if (!isMissingCall(error)) throw error;
    return hasOneOfTheFirst(client, runId, undefined, signal);
  }
}

async function hasOneOfTheFirst(
  client: Backend["client"],
  runId: string,
  shard: Shard | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const ids = Array.from({ length: FIRST }, (_, ordinal) => instanceIdOf(runId, sequenceOfShard(ordinal, shard)));
  const states = await Promise.all(ids.map((id) => client.getInstance(id, { signal })));
  return states.some((state) => state !== undefined);
}
