import { NO_QUERY, isMissingCall } from "../backend/missing-call.js";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { errorText } from "../format/error-text.js";
import { formatDuration } from "../format/duration.js";
import type { Recount } from "../result/run-result.js";
import { isOfShard, type Shard } from "../result/shard.js";
import { SequenceSet } from "../stats/sequence-set.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdOf, instanceIdPrefixOf, runIdOf, sequenceOf } from "../plan/run-id.js";

const PAGE_SIZE = 1_000;
const LISTED = 100;
const CONCURRENCY = 50;
const PATIENCE_MS = 30_000;

export interface RecountOptions {
  readonly client: OrchestrationClient;
  readonly runId: string;
  /** The numbers of the acknowledged starts. */
  readonly accepted: SequenceSet;
  /** The numbers of the unanswered starts, whose instances may exist. */
  readonly unanswered: ReadonlySet<number>;
  /** Of a run that several make: whose instances count. */
  readonly shard?: Shard | undefined;
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

/** Counts the run's instances on the backend, within 30 seconds. Never rejects: an error is part of the answer. */
export async function recountInstances(options: RecountOptions): Promise<Recount> {
  const { signal, patienceMs = PATIENCE_MS } = options;
  const patience = AbortSignal.timeout(patienceMs);
  try {
    return await recount({ ...options, signal: AbortSignal.any([signal, patience]) });
  } catch (error) {
    if (signal.aborted) return { unknown: "the run was interrupted" };
    if (patience.aborted) return { unknown: `it took longer than ${formatDuration(patienceMs)}` };
    if (isMissingCall(error)) return { unknown: NO_QUERY };
    return { unknown: errorText(error) };
  }
}

async function recount({ client, runId, accepted, unanswered, shard, signal }: RecountOptions): Promise<Recount> {
  const seen = new SequenceSet();
  const byStatus: Record<string, number> = {};
  const add = ({ instanceId, status }: InstanceState): void => {
    const sequence = sequenceOf(instanceId);
    if (runIdOf(instanceId) !== runId || sequence === undefined || seen.has(sequence)) return;
    if (!isOfShard(sequence, shard)) return;
    seen.add(sequence);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  };
  let continuationToken: string | undefined;
  do {
    const query = { instanceIdPrefix: instanceIdPrefixOf(runId), pageSize: PAGE_SIZE, continuationToken };
    const page = await client.queryInstances(query, { signal });
    page.instances.forEach(add);
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined);
  // An index may lag behind its data, so no instance is called lost that the backend knows when asked by id.
  const suspects = firstOf(accepted.missingFrom(seen)).map((sequence) => instanceIdOf(runId, sequence));
  await concurrently(suspects, CONCURRENCY, signal, async (instanceId) => {
    const state = await client.getInstance(instanceId, { signal });
    if (state) add(state);
  });
  signal.throwIfAborted();
  return {
    instances: seen.size,
    byStatus,
    lost: listed(runId, accepted.missingFrom(seen)),
    unexpected: listed(runId, without(unanswered, seen.missingFrom(accepted))),
  };
}

function* without(left: ReadonlySet<number>, sequences: Iterable<number>): Iterable<number> {
  for (const sequence of sequences) if (!left.has(sequence)) yield sequence;
}

function firstOf(sequences: Iterable<number>): readonly number[] {
  const first: number[] = [];
  for (const sequence of sequences) {
    if (first.length === LISTED) break;
    first.push(sequence);
  }
  return first;
}

function listed(runId: string, sequences: Iterable<number>) {
  const first: string[] = [];
  let total = 0;
  for (const sequence of sequences) {
    total += 1;
    if (first.length < LISTED) first.push(instanceIdOf(runId, sequence));
  }
  return { total, first };
}
