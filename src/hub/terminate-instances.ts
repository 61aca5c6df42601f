import { status } from "@grpc/grpc-js";
import { grpcCodeOf, isMissingBatch, isOfTheBackend } from "../backend/missing-call.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { errorText } from "../format/error-text.js";
import { batchesOf } from "../async/batches.js";
import { concurrently } from "../async/concurrently.js";

const REASON = "terminated by fanout";
/** The limit of SkipGracefulOrchestrationTerminations for one call. */
const BATCH_SIZE = 500;
const BATCHES_AT_ONCE = 4;
const CALLS_AT_ONCE = 50;

export interface AskedToEnd {
  /** They had ended when the backend answered. */
  readonly terminated: readonly string[];
  /** They end with their next episode, which needs a worker that hosts them. Or they had ended before, or are gone. */
  readonly others: readonly string[];
  /** The backend's words about the first one that it refused. */
  readonly refusal?: string;
}

/**
 * Terminates instances by id, including what they have started. It uses one call for 500, at once and without a worker,
 * if the backend supports SkipGracefulOrchestrationTerminations, else one call for each, at most 50 at a time. After an
 * abort, unanswered ones are among `others`. Rejects if the backend is away, refuses the caller, or does not terminate.
 */
export async function terminateInstances(
  client: OrchestrationClient,
  instanceIds: readonly string[],
  signal: AbortSignal,
): Promise<AskedToEnd> {
  const terminated = new Set<string>();
  let hasBatches = true;
  let refusal: string | undefined;

  const terminateOne = async (id: string): Promise<void> => {
    try {
      await client.terminate(id, REASON, { signal });
    } catch (error) {
      if (signal.aborted) return;
      if (isOfTheBackend(error)) throw error;
      if (grpcCodeOf(error) !== status.NOT_FOUND) refusal ??= errorText(error);
    }
  };
  const terminateBatch = async (ids: readonly string[]): Promise<void> => {
    const notRunning = hasBatches ? await batchOrNothing(client, ids, signal) : undefined;
    if (notRunning !== undefined) {
      for (const id of ids) if (!notRunning.has(id)) terminated.add(id);
      return;
    }
    hasBatches = false;
    await concurrently(ids, CALLS_AT_ONCE / BATCHES_AT_ONCE, signal, terminateOne);
  };

  await concurrently(batchesOf(instanceIds, BATCH_SIZE), BATCHES_AT_ONCE, signal, terminateBatch);
  return {
    terminated: [...terminated],
    others: instanceIds.filter((id) => !terminated.has(id)),
    ...(refusal !== undefined && { refusal }),
  };
}

/** The ids that were not running; undefined if the backend does not accept batches, or after an abort. */
async function batchOrNothing(
  client: OrchestrationClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set(await client.terminateBatch(ids, REASON, { signal }));
  } catch (error) {
    if (signal.aborted || isMissingBatch(error)) return undefined;
    throw error;
  }
}
