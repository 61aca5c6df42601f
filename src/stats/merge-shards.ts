import type { GeneratorHealth, HubSurvey, ResultEnvironment, ResultPlan, RunResult } from "../result/run-result.js";
import { censoredOf } from "../result/stored-percentile.js";
import type { Coordinated } from "./coordinated.js";
import { mergedBreakdown } from "./merged-breakdown.js";
import { mergedCounts, mergedIrregular, mergedLists, mergedRecount } from "./merged-counts.js";
import { commonOutages, commonStalls, hasEnded, mergedHealth, widestClock } from "./merged-health.js";
import { mergedVerdict } from "./merged-verdict.js";
import { OrchestrationFigures } from "./orchestration-figures.js";
import { RunLatencies } from "./run-latencies.js";
import type { ShardResult } from "./shards-of-run.js";
import { sumOf, sums } from "./sums.js";
import { Timeline } from "./timeline.js";

type MergedShard = NonNullable<RunResult["shards"]>[number];

type Shards = readonly [ShardResult, ...ShardResult[]];

/**
 * The result of the whole run: counts add up, histograms and tallies merge, and every figure is then computed as for a
 * single generator. The verdict is the worst, and names the shard.
 */
export function mergeShards(shards: Shards, coordinated?: Coordinated): RunResult {
  const measured = measuredOf(shards, coordinated ?? coordinatedBy(shards));
  const judged = shards.map(({ verdict, plan: { shard } }) => ({ shard, verdict }));
  return { ...measured, verdict: mergedVerdict(judged, measured) };
}

function healthOf(shards: Shards): readonly GeneratorHealth[] {
  return shards.flatMap(({ generator }) => generator ?? []);
}

/** What the shards tell of the whole, where nobody coordinated them. */
function coordinatedBy(shards: Shards): Coordinated {
  const { shard: _shard, ...plan } = shards[0].plan;
  return { plan: { ...plan, workers: workersOf(shards) }, environment: mergedEnvironment(shards) };
}

/** Those of each shard serve the whole run. */
function workersOf(shards: Shards): ResultPlan["workers"] {
  const counts = shards.map(({ plan: { workers } }) => workers);
  const known = counts.filter((count) => count !== "auto");
  return known.length < counts.length ? "auto" : sumOf(known, (count) => count);
}

function measuredOf(shards: Shards, coordinated: Coordinated): Omit<RunResult, "verdict"> {
  const { plan, environment } = coordinated;
  const startedMs = Math.min(...shards.map(({ startedAt }) => Date.parse(startedAt)));
  const durationMs = Math.max(
    ...shards.map(({ startedAt, durationMs }) => Date.parse(startedAt) - startedMs + durationMs),
  );
  const latencies = new RunLatencies();
  const timeline = new Timeline(plan, "completions");
  const ofEach = new OrchestrationFigures(plan);
  for (const shard of shards) {
    latencies.absorb(shard.tally.latencies);
    timeline.absorb(shard.tally);
    ofEach.absorb(shard);
  }
  const isSettled = shards.every(({ tally }) => tally.isSettled);
  const irregular = mergedIrregular(shards);
  const counts = mergedCounts(shards, coordinated, irregular);
  const censored = censoredOf(counts);
  const hasResponse = plan.load?.kind !== "closed";
  const throughput = timeline.throughput(durationMs, isSettled, irregular);
  const { response, service } = latencies;
  const stalls = commonStalls(
    shards.map(({ stalls = [], tally: { idle = [] }, durationMs }) => {
      return hasEnded({ spans: stalls, neutral: idle }, durationMs);
    }),
  );
  const outages = commonOutages(
    shards.map(({ outages = [], durationMs }) => hasEnded({ spans: outages, neutral: [] }, durationMs)),
  );
  const clock = widestClock(shards.flatMap(({ clock }) => clock ?? []));
  return {
    schemaVersion: 1,
    runId: shards[0].runId,
    startedAt: new Date(startedMs).toISOString(),
    durationMs,
    interrupted: shards.some(({ interrupted }) => interrupted),
    plan,
    environment,
    counts,
    ...(throughput && { throughput }),
    latencyMs: latencies.summaries(censored, { hasResponse }),
    ...ofEach.close(throughput, isSettled),
    ...mergedBreakdown(shards, coordinated),
    ...timeline.close(durationMs, isSettled, { response: response.until, service: service.until }),
    ...(outages.length > 0 && { outages }),
    ...(stalls.length > 0 && { stalls }),
    generator: mergedHealth(plan, healthOf(shards), latencies, censored),
    ...(clock && { clock }),
    ...concurrencyOf(plan, throughput, service.meanMs),
    noticing: sums(shards.map(({ noticing = {} }) => noticing)),
    ...mergedRecount(shards),
    histograms: latencies.encoded({ hasResponse }),
    shards: shards.map(mergedShardOf),
    ...mergedLists(shards),
  };
}

function concurrencyOf(
  { load, parallelOrchestrations = 1 }: ResultPlan,
  throughput: RunResult["throughput"],
  serviceMs: number | undefined,
): Pick<RunResult, "concurrency"> {
  if (load?.kind !== "closed" || !throughput || serviceMs === undefined) return {};
  const effective = (throughput.orchestrationsPerSecond * serviceMs) / 1_000;
  return { concurrency: { planned: parallelOrchestrations, effective } };
}

function mergedShardOf({ plan, startedAt, counts, verdict, generator, environment, died }: ShardResult): MergedShard {
  return {
    number: plan.shard.number,
    startedAt,
    started: counts.orchestrations.started,
    completed: counts.orchestrations.completed,
    ...(verdict && { verdict }),
    ...(generator && { generator }),
    cpu: environment.cpu,
    ...(died !== undefined && { died }),
  };
}

function mergedEnvironment(shards: Shards): ResultEnvironment {
  const [{ environment }] = shards;
  const { transport, workers } = shards.find((shard) => shard.environment.ownWorkers > 0)?.environment ?? environment;
  const durabilities = shards.map(({ environment: { backend } }) => backend.durability);
  const weakest = (["ephemeral", "process", "disk", "fsync"] as const).find((each) => durabilities.includes(each));
  const { durability: _durability, ...backend } = environment.backend;
  return {
    ...environment,
    backend: { ...backend, ...(weakest && { durability: weakest }) },
    ...(transport && { transport }),
    ownWorkers: sumOf(shards, ({ environment: { ownWorkers } }) => ownWorkers),
    ...(workers && { workers }),
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
