import { mostStarts } from "../result/load-shape.js";
import { placeInMix } from "../result/mix.js";
import { sequenceOfShard } from "../result/shard.js";
import type { LoadPlan } from "../plan/plan.js";
import { arrivals } from "../plan/arrivals.js";

/** Which starts count: those that are due from `fromMs` on, and those of one orchestration of the mix. */
interface Counted {
  readonly fromMs?: number;
  readonly orchestrator?: string | undefined;
}

/** The number of starts of a plan, counted up to `most`. */
export function startsUpTo(most: number, plan: LoadPlan, { fromMs = 0, orchestrator }: Counted = {}): number {
  if (plan.load.kind !== "open") return startsOfTotal(most, plan, orchestrator);
  let [ordinal, starts] = [0, 0];
  for (const dueMs of arrivals(plan)) {
    if (dueMs >= fromMs && isOf(orchestrator, plan, ordinal)) starts += 1;
    if (starts >= most) break;
    ordinal += 1;
  }
  return starts;
}

function startsOfTotal(most: number, plan: LoadPlan, orchestrator: string | undefined): number {
  const total = mostStarts(plan) ?? Number.POSITIVE_INFINITY;
  if (orchestrator === undefined || total === Number.POSITIVE_INFINITY) return Math.min(most, total);
  let starts = 0;
  for (let ordinal = 0; ordinal < total && starts < most; ordinal += 1)
    if (isOf(orchestrator, plan, ordinal)) starts += 1;
  return starts;
}

/** Whether the start of this plan, or of this shard, has that orchestration. */
function isOf(orchestrator: string | undefined, plan: LoadPlan, ordinal: number): boolean {
  const { orchestrations, seed, shard } = plan;
  if (orchestrator === undefined || orchestrations === undefined) return true;
  return (
    orchestrations[placeInMix(orchestrations, sequenceOfShard(ordinal, shard), seed)]?.orchestrator === orchestrator
  );
}
