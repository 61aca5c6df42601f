import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { recountInstances } from "../load/recount.js";
import type { SoakAccount } from "../result/soak-schema.js";
import { SequenceSet } from "../stats/sequence-set.js";

const PATIENCE_MS = 300_000;

/**
 * What the task hub has of a leg whose process was killed after it had sent `started` starts, by its last checkpoint.
 * Never rejects: an error is part of the answer.
 */
export async function accountOfKilled(
  client: OrchestrationClient,
  { runId, started }: { readonly runId: string; readonly started: number },
  signal: AbortSignal,
): Promise<SoakAccount> {
  const sent = new SequenceSet();
  for (let sequence = 0; sequence < started; sequence += 1) sent.add(sequence);
  const recount = await recountInstances({
    client,
    runId,
    accepted: sent,
    unanswered: new Set(),
    signal,
    patienceMs: PATIENCE_MS,
  });
  if (!("lost" in recount)) return recount;
  const { instances, byStatus, lost, unexpected } = recount;
  return { instances, byStatus, missing: lost, afterCheckpoint: unexpected.total };
}
