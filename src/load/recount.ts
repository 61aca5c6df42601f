import { NO_QUERY, isMissingCall } from "../backend/missing-call.js";
import type { InstanceState } from "../backend/orchestration-client.js";
import { errorText } from "../format/error-text.js";
import { formatDuration } from "../format/duration.js";
import { placeInMix } from "../result/mix.js";
import type { Recount, ResultPlan } from "../result/run-result.js";
import { SequenceSet } from "../stats/sequence-set.js";
import { concurrently } from "../async/concurrently.js";
import { instanceIdOf } from "../plan/run-id.js";
import { instancesOfRun, type InstancesOfRun } from "./instances-of-run.js";

const LISTED = 100;
const CONCURRENCY = 50;
const PATIENCE_MS = 30_000;

export interface RecountOptions extends InstancesOfRun {
  /** The numbers of the acknowledged starts. */
  readonly accepted: SequenceSet;
  /** The numbers of the unanswered starts, whose instances may exist. */
  readonly unanswered: ReadonlySet<number>;
  /** Of a plan that mixes orchestrations: then each is counted too. */
  readonly plan?: Pick<ResultPlan, "orchestrations" | "seed">;
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

async function recount(options: RecountOptions): Promise<Recount> {
  const { client, runId, accepted, unanswered, shard, plan = {}, signal } = options;
  const seen = new SequenceSet();
  const byStatus: Record<string, number> = {};
  const add = (sequence: number, { status }: InstanceState): void => {
    if (seen.has(sequence)) return;
    seen.add(sequence);
    byStatus[status] = (byStatus[status] ?? 0) + 1;
  };
  for await (const [sequence, instance] of instancesOfRun({ client, runId, shard, signal })) add(sequence, instance);
  // An index may lag behind its data, so no instance is called lost that the backend knows when asked by id.
  const suspects = firstOf(accepted.missingFrom(seen));
  await concurrently(suspects, CONCURRENCY, signal, async (sequence) => {
    const state = await client.getInstance(instanceIdOf(runId, sequence), { signal });
    if (state) add(sequence, state);
  });
  signal.throwIfAborted();
  const lost = (): Iterable<number> => accepted.missingFrom(seen);
  const unexpected = (): Iterable<number> => without(unanswered, seen.missingFrom(accepted));
  return {
    instances: seen.size,
    byStatus,
    lost: listed(runId, lost()),
    unexpected: listed(runId, unexpected()),
    ...recountOfEach(plan, {
      instances: seen.missingFrom(new SequenceSet()),
      lost: lost(),
      unexpected: unexpected(),
    }),
  };
}

/** The numbers of starts in a run. */
interface RecountedStarts {
  readonly instances: Iterable<number>;
  readonly lost: Iterable<number>;
  readonly unexpected: Iterable<number>;
}

/** Of a mix, how many of them each orchestration has. */
export function recountOfEach(
  { orchestrations: mix, seed }: NonNullable<RecountOptions["plan"]>,
  { instances, lost, unexpected }: RecountedStarts,
) {
  if (mix === undefined) return {};
  const countsOf = (sequences: Iterable<number>): readonly number[] => {
    const counts = mix.map(() => 0);
    for (const sequence of sequences) counts[placeInMix(mix, sequence, seed)]! += 1;
    return counts;
  };
  const [there, gone, foreign] = [countsOf(instances), countsOf(lost), countsOf(unexpected)];
  return {
    byOrchestration: mix.map(({ orchestrator }, place) => {
      return { orchestrator, instances: there[place]!, lost: gone[place]!, unexpected: foreign[place]! };
    }),
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
