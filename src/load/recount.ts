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

/**
 * Counts the run's instances on the backend, within 30 seconds. An instance is lost only if the backend, asked by id,
 * says so: those that were not reached in time are not called lost. If none was found lost by then, the recount is
 * unknown.
 * Never rejects: an error is part of the answer.
 */
export async function recountInstances(options: RecountOptions): Promise<Recount> {
  const { signal, patienceMs = PATIENCE_MS } = options;
  const patience = AbortSignal.timeout(patienceMs);
  const found = new Found();
  try {
    await recount({ ...options, signal: AbortSignal.any([signal, patience]) }, found);
    return countedOf(options, found);
  } catch (error) {
    if (signal.aborted) return { unknown: "the run was interrupted" };
    if (patience.aborted && found.lost.size > 0) return countedOf(options, found);
    if (patience.aborted) return { unknown: `it took longer than ${formatDuration(patienceMs)}` };
    if (isMissingCall(error)) return { unknown: NO_QUERY };
    return { unknown: errorText(error) };
  }
}

/** What the backend has said so far, by the numbers of the starts. */
class Found {
  readonly seen = new SequenceSet();
  readonly byStatus: Record<string, number> = {};
  /** The backend does not know these. */
  readonly lost = new SequenceSet();

  add(sequence: number, { status }: InstanceState): void {
    if (this.seen.has(sequence)) return;
    this.seen.add(sequence);
    this.byStatus[status] = (this.byStatus[status] ?? 0) + 1;
  }
}

async function recount({ client, runId, accepted, shard, signal }: RecountOptions, found: Found): Promise<void> {
  for await (const [sequence, instance] of instancesOfRun({ client, runId, shard, signal }))
    found.add(sequence, instance);
  // An index may lag behind its data, so no instance is called lost that the backend knows when asked by id.
  await concurrently(accepted.missingFrom(found.seen), CONCURRENCY, signal, async (sequence) => {
    const state = await client.getInstance(instanceIdOf(runId, sequence), { signal });
    if (state) found.add(sequence, state);
    else found.lost.add(sequence);
  });
  signal.throwIfAborted();
}

function countedOf({ runId, accepted, unanswered, plan = {} }: RecountOptions, found: Found): Recount {
  const { seen, byStatus } = found;
  const lost = (): Iterable<number> => found.lost.missingFrom(new SequenceSet());
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

function listed(runId: string, sequences: Iterable<number>) {
  const first: string[] = [];
  let total = 0;
  for (const sequence of sequences) {
    total += 1;
    if (first.length < LISTED) first.push(instanceIdOf(runId, sequence));
  }
  return { total, first };
}
