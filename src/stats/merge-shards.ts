import { lengthOf } from "../result/load-shape.js";
import type {
  ClockOffset,
  GeneratorHealth,
  HubSurvey,
  Listed,
  Recount,
  ResultEnvironment,
  RunResult,
  Stall,
  Verdict,
} from "../result/run-result.js";
import { mergedBreakdown } from "./merged-breakdown.js";
import { countsOf, type IrregularActions } from "./run-counts.js";
import { RunLatencies } from "./run-latencies.js";
import type { ShardResult } from "./shards-of-run.js";
import { Timeline } from "./timeline.js";
import { verdictOf } from "./verdict.js";

const LISTED_FAILURES = 10;
const LISTED = 100;
const SHORTEST_STALL_MS = 500;

/**
 * The result of the whole run: counts add up, histograms and tallies merge, and every figure is then computed as for a
 * single generator. The verdict is the worst, and names the shard.
 */
export function mergeShards(shards: readonly [ShardResult, ...ShardResult[]]): RunResult {
  const measured = measuredOf(shards);
  return { ...measured, verdict: mergedVerdict(shards, measured) };
}

function measuredOf(shards: readonly [ShardResult, ...ShardResult[]]): Omit<RunResult, "verdict"> {
  const [first] = shards;
  const { shard: _shard, ...plan } = first.plan;
  const startedMs = Math.min(...shards.map(({ startedAt }) => Date.parse(startedAt)));
  const durationMs = Math.max(
    ...shards.map(({ startedAt, durationMs }) => Date.parse(startedAt) - startedMs + durationMs),
  );
  const latencies = new RunLatencies();
  const activitySource = first.counts.activities?.source ?? "completions";
  const timeline = new Timeline(plan, activitySource);
  for (const { tally } of shards) {
    latencies.absorb(tally.latencies);
    timeline.absorb(tally);
  }
  const isSettled = shards.every(({ tally }) => tally.isSettled);
  const irregular = mergedIrregular(shards);
  const counts = mergedCounts(shards, plan, irregular);
  const { started, terminated, unfinished } = counts.orchestrations;
  // A dead generator took its latencies with it.
  const unmeasured = sumOf(shards, ({ died, counts }) => (died === undefined ? 0 : counts.orchestrations.completed));
  const censored = started === 0 ? 0 : (unfinished + terminated + unmeasured) / started;
  const hasResponse = plan.load?.kind !== "closed";
  const throughput = timeline.throughput(durationMs, isSettled, irregular);
  const { response, service } = latencies;
  const stalls = commonStalls(shards.map(({ stalls = [] }) => stalls));
  const clock = widestClock(shards.flatMap(({ clock }) => clock ?? []));
  const { meanMs } = service;
  return {
    schemaVersion: 1,
    runId: first.runId,
    startedAt: new Date(startedMs).toISOString(),
    durationMs,
    interrupted: shards.some(({ interrupted }) => interrupted),
    plan,
    environment: mergedEnvironment(shards),
    counts,
    ...(throughput && { throughput }),
    latencyMs: latencies.summaries(censored, { hasResponse }),
    ...mergedBreakdown(shards),
    ...timeline.close(durationMs, isSettled, { response: response.until, service: service.until }),
    ...(stalls.length > 0 && { stalls }),
    generator: mergedHealth(shards, latencies, censored),
    ...(clock && { clock }),
    ...(plan.load?.kind === "closed" &&
      throughput &&
      meanMs !== undefined && {
        concurrency: {
          planned: plan.parallelOrchestrations ?? 1,
          effective: (throughput.orchestrationsPerSecond * meanMs) / 1_000,
        },
      }),
    noticing: sums(shards.map(({ noticing = {} }) => noticing)),
    ...mergedRecount(shards),
    histograms: latencies.encoded({ hasResponse }),
    shards: shards.map(({ plan, startedAt, counts, verdict, environment, died }) => ({
      number: plan.shard.number,
      startedAt,
      started: counts.orchestrations.started,
      completed: counts.orchestrations.completed,
      ...(verdict && { verdict }),
      cpu: environment.cpu,
      ...(died !== undefined && { died }),
    })),
    ...mergedLists(shards),
  };
}

function mergedCounts(
  shards: readonly ShardResult[],
  plan: RunResult["plan"],
  irregular: IrregularActions | undefined,
): RunResult["counts"] {
  const all = shards.map(({ counts }) => counts);
  const byCall: Record<string, Record<string, number>> = {};
  for (const { rpcErrorsByCall = {} } of all)
    for (const [call, errors] of Object.entries(rpcErrorsByCall)) byCall[call] = sums([byCall[call] ?? {}, errors]);
  return countsOf(plan, {
    orchestrations: sums(all.map(({ orchestrations }) => orchestrations)),
    accepted: sumOf(shards, ({ tally }) => tally.accepted),
    inWarmup: sumOf(all, ({ warmup = 0 }) => warmup),
    neverSent: sumOf(shards, ({ tally }) => tally.neverSent),
    activities: sumOf(all, ({ activities }) => activities?.completed ?? 0),
    activitySource: "completions",
    rpcErrors: sums(all.map(({ rpcErrors }) => rpcErrors)),
    rpcErrorsByCall: byCall,
    irregular,
  });
}

/** Undefined if a shard did not count them. */
function mergedIrregular(shards: readonly ShardResult[]): IrregularActions | undefined {
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

function mergedEnvironment(shards: readonly [ShardResult, ...ShardResult[]]): ResultEnvironment {
  const [{ environment }] = shards;
  const durabilities = shards.map(({ environment: { backend } }) => backend.durability);
  const weakest = (["ephemeral", "process", "disk", "fsync"] as const).find((each) => durabilities.includes(each));
  const { durability: _durability, ...backend } = environment.backend;
  return {
    ...environment,
    backend: { ...backend, ...(weakest && { durability: weakest }) },
    ownWorkers: sumOf(shards, ({ environment: { ownWorkers } }) => ownWorkers),
    hub: busiestHub(shards.map(({ environment: { hub } }) => hub)),
  };
}

/** What is not known may be the worst. */
function busiestHub([first, ...rest]: readonly HubSurvey[]): HubSurvey {
  return rest.reduce((busiest, hub) => {
    if ("unknown" in busiest || "unknown" in hub) return "unknown" in busiest ? busiest : hub;
    return hub.unfinished > busiest.unfinished ? hub : busiest;
  }, first!);
}

/** Slip is that of all starts; what belongs to a process or a machine is that of the worst. */
function mergedHealth(
  shards: readonly [ShardResult, ...ShardResult[]],
  latencies: RunLatencies,
  censored: number,
): GeneratorHealth {
  const { plan } = shards[0];
  const all = shards.flatMap(({ generator }) => generator ?? []);
  const isOpen = plan.load?.kind === "open";
  const slipMs = latencies.unheldSlip;
  const slipShare = isOpen ? latencies.slipShares(censored) : undefined;
  const eventLoopDelayMs = worst(
    all.flatMap(({ eventLoopDelayMs }) => eventLoopDelayMs ?? []),
    ({ p99, p90, max }) => p99 ?? p90 ?? max,
  );
  const jumps = all.flatMap(({ clockJumpMs }) => clockJumpMs ?? []);
  const cpu = worst(
    all.flatMap(({ cpu }) => cpu ?? []),
    ({ machine }) => machine,
  );
  return {
    heldBack: sumOf(all, ({ heldBack }) => heldBack),
    ...(slipMs && {
      slipMs,
      ...(isOpen && { slipGrowthMs: latencies.slipGrowthMs((lengthOf(plan) ?? 0) - (plan.warmupMs ?? 0)) }),
    }),
    ...(slipShare && { slipShare }),
    ...(eventLoopDelayMs && { eventLoopDelayMs }),
    ...(jumps.length > 0 && { clockJumpMs: Math.max(...jumps) }),
    ...(cpu && { cpu }),
  };
}

/** The range that holds the offset of the backend's clock to each of the clients' clocks. */
function widestClock(clocks: readonly ClockOffset[]): ClockOffset | undefined {
  const drift = worst(clocks, ({ driftMs }) => Math.abs(driftMs));
  if (drift === undefined) return undefined;
  const low = Math.min(...clocks.map(({ offsetMs, boundMs }) => offsetMs - boundMs));
  const high = Math.max(...clocks.map(({ offsetMs, boundMs }) => offsetMs + boundMs));
  return { offsetMs: (low + high) / 2, boundMs: (high - low) / 2, driftMs: drift.driftMs };
}

/** Times in which every shard was stalled: then nothing of the run completed. */
function commonStalls(ofShards: readonly (readonly Stall[])[]): readonly Stall[] {
  const [first = [], ...rest] = ofShards;
  const common = rest.reduce<readonly Stall[]>(
    (found, stalls) => found.flatMap((one) => stalls.flatMap((other) => overlapOf(one, other))),
    first,
  );
  return common.filter(({ lengthMs }) => lengthMs >= SHORTEST_STALL_MS).slice(0, LISTED);
}

function overlapOf(one: Stall, other: Stall): readonly Stall[] {
  const fromMs = Math.max(one.fromMs, other.fromMs);
  const lengthMs = Math.min(one.fromMs + one.lengthMs, other.fromMs + other.lengthMs) - fromMs;
  if (!(lengthMs > 0)) return [];
  return [
    {
      fromMs,
      lengthMs,
      ...(one.open && other.open && { open: true }),
      inFlight: one.inFlight + other.inFlight,
      offeredPerSecond: one.offeredPerSecond + other.offeredPerSecond,
      rpcErrors: sums([one.rpcErrors, other.rpcErrors]),
    },
  ];
}

/** Absent if a shard did not count, because it was interrupted. */
function mergedRecount(shards: readonly ShardResult[]): { readonly recount?: Recount } {
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
    },
  };
}

function mergedLists(shards: readonly ShardResult[]): Pick<RunResult, "failures" | "stuck" | "unanswered"> {
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

/** Each shard's own reasons, and those that show only in the whole. */
function mergedVerdict(shards: readonly ShardResult[], measured: Omit<RunResult, "verdict">): Verdict {
  const own = shards.flatMap(({ verdict, plan: { shard } }) => {
    return (verdict?.reasons ?? []).map((reason) => ({
      ...reason,
      text: `shard ${shard.number} of ${shard.of}: ${reason.text}`,
    }));
  });
  const named = new Set(own.map(({ name }) => name));
  const ofWhole = verdictOf(measured).reasons.filter(({ name }) => !named.has(name));
  const reasons = [...own, ...ofWhole];
  const isInvalid = reasons.some(({ severity }) => severity === "invalid");
  return { status: isInvalid ? "invalid" : reasons.length > 0 ? "suspect" : "valid", reasons };
}

function joined<T>(lists: readonly Listed<T>[], most: number): Listed<T> {
  const first = lists.flatMap(({ first }) => first as readonly T[]).slice(0, most);
  return { total: sumOf(lists, ({ total }) => total), first } as Listed<T>;
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

/** The sum of each field. */
function sums<T extends Readonly<Record<string, number>>>(records: readonly T[]): T {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries(Array.from(names, (name) => [name, sumOf(records, (record) => record[name] ?? 0)])) as T;
}

function worst<T>(items: readonly T[], badness: (item: T) => number): T | undefined {
  const [first, ...rest] = items;
  if (first === undefined) return undefined;
  return rest.reduce((most, item) => (badness(item) > badness(most) ? item : most), first);
}
