import { status } from "@grpc/grpc-js";
import { grpcCodeOf, isMissingBatch, isOfTheBackend } from "../backend/missing-call.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { errorText } from "../format/error-text.js";
import { batchesOf } from "../async/batches.js";
import { concurrently } from "../async/concurrently.js";

/** The limit of the protocol for one call. */
const BATCH_SIZE = 500;
const BATCHES_AT_ONCE = 4;
const CALLS_AT_ONCE = 50;

export interface PurgeOutcome {
  readonly purged: number;
  /** Instances that the backend refused to purge, without those that no longer existed. */
  readonly refused: number;
  /** The backend's reason for the first one. */
  readonly reason?: string;
}

/**
 * Purges ended instances: 500 with one call if the backend supports that, else one call for each, at most 50 at a time.
 * Calls `onPurged` after each part. Rejects when the signal aborts.
 */
export async function purgeInstances(
  client: OrchestrationClient,
  instanceIds: readonly string[],
  { signal, onPurged = () => {} }: { readonly signal: AbortSignal; readonly onPurged?: (count: number) => void },
): Promise<PurgeOutcome> {
  let purged = 0;
  let refused = 0;
  let reason: string | undefined;
  let hasBatches = true;

  const count = (number: number): void => {
    purged += number;
    if (number > 0) onPurged(number);
  };
  const purgeOne = async (id: string): Promise<void> => {
    try {
      count((await client.purge(id, { signal })) ? 1 : 0);
    } catch (error) {
      signal.throwIfAborted();
      if (isOfTheBackend(error)) throw error;
      if (grpcCodeOf(error) === status.NOT_FOUND) return;
      refused += 1;
      reason ??= errorText(error);
    }
  };
  const purgeBatch = async (ids: readonly string[]): Promise<void> => {
    const deleted = hasBatches ? await batchOrNothing(client, ids, signal) : undefined;
    if (deleted === undefined) hasBatches = false;
    count(deleted ?? 0);
    // Some backends accept a batch and purge only a part of it, or nothing. The rest is purged one by one.
    if ((deleted ?? 0) < ids.length) await concurrently(ids, CALLS_AT_ONCE / BATCHES_AT_ONCE, signal, purgeOne);
  };

  await concurrently(batchesOf(instanceIds, BATCH_SIZE), BATCHES_AT_ONCE, signal, purgeBatch);
  signal.throwIfAborted();
  return { purged, refused, ...(reason !== undefined && { reason }) };
}

/** Undefined if the backend does not accept batches. */
async function batchOrNothing(
  client: OrchestrationClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await client.purgeBatch(ids, { signal });
  } catch (error) {
    if (isMissingBatch(error)) return undefined;
    throw error;
  }
}
