import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { instanceIdPrefixOf, runIdOf, sequenceOf } from "../plan/run-id.js";
import { isOfShard, type Shard } from "../result/shard.js";

const PAGE_SIZE = 1_000;

export interface InstancesOfRun {
  readonly client: OrchestrationClient;
  readonly runId: string;
  /** Only its instances. */
  readonly shard?: Shard | undefined;
  readonly signal: AbortSignal;
}

/** The instances that the backend lists for a run, with their numbers in it. One may come twice. */
export async function* instancesOfRun({
  client,
  runId,
  shard,
  signal,
}: InstancesOfRun): AsyncGenerator<readonly [number, InstanceState]> {
  let continuationToken: string | undefined;
  do {
    const query = { instanceIdPrefix: instanceIdPrefixOf(runId), pageSize: PAGE_SIZE, continuationToken };
    const page = await client.queryInstances(query, { signal });
    for (const instance of page.instances) {
      const sequence = sequenceOf(instance.instanceId);
      if (runIdOf(instance.instanceId) !== runId || sequence === undefined || !isOfShard(sequence, shard)) continue;
      yield [sequence, instance];
    }
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined);
}
