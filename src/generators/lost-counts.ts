import { isEnded } from "../backend/ended-status.js";
import type { InstanceState } from "../backend/orchestration-client.js";
import { placeInMix } from "../result/mix.js";
import type { MeasuredStarts, ResultPlan, RunResult } from "../result/run-result.js";
import { sequenceOfShard, type Shard } from "../result/shard.js";

type Status = InstanceState["status"];
type Counts = RunResult["counts"]["orchestrations"];

/** The starts of a shard by their number in the run; the status is undefined where the backend has no instance. */
export type Starts = ReadonlyMap<number, Status | undefined>;

/**
 * What the backend knows, and the starts that the generator told beyond that. A generator starts in the order of the
 * numbers, so those are the first ones that the backend does not know.
 */
export function startsOf(known: ReadonlyMap<number, Status>, told: number, shard: Shard): Starts {
  const starts = new Map<number, Status | undefined>(known);
  for (let ordinal = 0; starts.size < told; ordinal += 1) {
    const sequence = sequenceOfShard(ordinal, shard);
    if (!starts.has(sequence)) starts.set(sequence, undefined);
  }
  return starts;
}

export function countsOf(starts: Starts): Counts {
  return countsOfStatuses([...starts.values()]);
}

/** Of each orchestration of the mix. They add up to `countsOf`. */
export function countsOfEach(
  starts: Starts,
  { orchestrations: mix = [], seed }: Pick<ResultPlan, "orchestrations" | "seed">,
): readonly Counts[] {
  const statuses = mix.map((): (Status | undefined)[] => []);
  for (const [sequence, status] of starts) statuses[placeInMix(mix, sequence, seed)]?.push(status);
  return statuses.map(countsOfStatuses);
}

/** Which of them were due in the warm-up died with the generator. So all count as those whose latencies are lost. */
export function measuredOf(
  { started, completed, terminated, unfinished }: Counts,
  { unsent }: Partial<MeasuredStarts> = {},
): MeasuredStarts {
  return { started, terminated, unfinished, ...(unsent !== undefined && { unsent }), lost: completed };
}

function countsOfStatuses(statuses: readonly (Status | undefined)[]): Counts {
  const completed = statuses.filter((status) => status === "Completed").length;
  const failed = statuses.filter((status) => status === "Failed").length;
  const ended = statuses.filter((status) => status !== undefined && isEnded(status)).length;
  const started = statuses.length;
  return { started, completed, failed, terminated: ended - completed - failed, unfinished: started - ended };
}
