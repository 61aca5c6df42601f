import type { Listed, Recount, RunResult, RunTally } from "../result/run-result.js";
import { countsOf, type IrregularActions } from "./run-counts.js";
import type { Coordinated } from "./coordinated.js";
import type { ShardResult } from "./shards-of-run.js";
import { sumOf, sums } from "./sums.js";

const LISTED_FAILURES = 10;
const LISTED = 100;

/** The counts of one generator. */
interface CountedPart {
  readonly counts: RunResult["counts"];
  readonly tally: Pick<RunTally, "accepted" | "neverSent">;
}

export function mergedCounts(
  shards: readonly CountedPart[],
  { plan, environment, activities, executed }: Coordinated,
  irregular: IrregularActions | undefined,
): RunResult["counts"] {
  const all = shards.map(({ counts }) => counts);
  const byCall: Record<string, Record<string, number>> = {};
  for (const { rpcErrorsByCall = {} } of all)
    for (const [call, errors] of Object.entries(rpcErrorsByCall)) byCall[call] = sums([byCall[call] ?? {}, errors]);
  return countsOf(plan, {
    orchestrations: sums(all.map(({ orchestrations }) => orchestrations)),
    measured: measuredOf(all),
    accepted: sumOf(shards, ({ tally }) => tally.accepted),
    inWarmup: sumOf(all, ({ warmup = 0 }) => warmup),
    neverSent: sumOf(shards, ({ tally }) => tally.neverSent),
    unsent: sumOf(all, ({ unsent = 0 }) => unsent),
    activities: activities ?? sumOf(all, ({ activities }) => activities?.completed ?? 0),
    activitySource: activities === undefined ? "completions" : "emulator",
    rpcErrors: sums(all.map(({ rpcErrors }) => rpcErrors)),
    rpcErrorsByCall: byCall,
    irregular,
    executed: executed === undefined ? undefined : { activities: executed, hub: environment.hub },
  });
}

/** Undefined if a shard does not tell them: an older fanout made it. */
function measuredOf(all: readonly RunResult["counts"][]): RunResult["counts"]["measured"] {
  const told = all.flatMap(({ measured }) => measured ?? []);
  return told.length < all.length ? undefined : sums(told);
}

/** Undefined if a shard did not count them. */
export function mergedIrregular(shards: readonly ShardResult[]): IrregularActions | undefined {
  const all = shards.flatMap(({ tally, plan }) => {
    return tally.irregular ? [{ ...tally.irregular, shard: plan.shard.number }] : [];
  });
  if (all.length < shards.length) return undefined;
  const missing = all.flatMap(({ missing, shard }) => (missing === undefined ? [] : [`shard ${shard}: ${missing}`]));
  return {
    instances: sumOf(all, ({ instances }) => instances),
    actions: sumOf(all, ({ actions }) => actions),
    measured: sumOf(all, ({ measured }) => measured),
    ...(missing.length > 0 && { missing: missing.join(", ") }),
  };
}

/** Absent if a shard did not count, because it was interrupted. */
export function mergedRecount(shards: readonly ShardResult[]): { readonly recount?: Recount } {
  const all = shards.flatMap(({ recount, plan }) => (recount ? [{ recount, number: plan.shard.number }] : []));
  if (all.length < shards.length) return {};
  const unknown = all.find(({ recount }) => "unknown" in recount);
  if (unknown && "unknown" in unknown.recount)
    return { recount: { unknown: `shard ${unknown.number}: ${unknown.recount.unknown}` } };
  const known = all.flatMap(({ recount }) => ("unknown" in recount ? [] : [recount]));
  return {
    recount: {
      instances: sumOf(known, ({ instances }) => instances),
      byStatus: sums(known.map(({ byStatus }) => byStatus)),
      lost: joined(
        known.map(({ lost }) => lost),
        LISTED,
      ),
      unexpected: joined(
        known.map(({ unexpected }) => unexpected),
        LISTED,
      ),
      ...recountByOrchestration(known),
    },
  };
}

function recountByOrchestration(known: readonly Extract<Recount, { instances: number }>[]) {
  const all = known.flatMap(({ byOrchestration }) => byOrchestration ?? []);
  const names = [...new Set(all.map(({ orchestrator }) => orchestrator))];
  if (names.length === 0) return {};
  const byOrchestration = names.map((orchestrator) => {
    const own = all.filter((each) => each.orchestrator === orchestrator);
    return { orchestrator, ...sums(own.map(({ orchestrator: _name, ...counts }) => counts)) };
  });
  return { byOrchestration };
}

export function mergedLists(shards: readonly ShardResult[]): Pick<RunResult, "failures" | "stuck" | "unanswered"> {
  const failures = joined(
    shards.flatMap(({ failures }) => failures ?? []),
    LISTED_FAILURES,
  );
  const stuck = joined(
    shards.flatMap(({ stuck }) => stuck ?? []),
    LISTED,
  );
  const unanswered = joined(
    shards.flatMap(({ unanswered }) => unanswered ?? []),
    LISTED,
  );
  return {
    ...(failures.total > 0 && { failures }),
    ...(stuck.total > 0 && { stuck }),
    ...(unanswered.total > 0 && { unanswered }),
  };
}

function joined<T>(lists: readonly Listed<T>[], most: number): Listed<T> {
  const first = lists.flatMap(({ first }) => first as readonly T[]).slice(0, most);
  return { total: sumOf(lists, ({ total }) => total), first } as Listed<T>;
}
