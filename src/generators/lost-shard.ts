import type { Backend } from "../backend/backend.js";
import type { InstanceState } from "../backend/orchestration-client.js";
import { errorText } from "../format/error-text.js";
import { isEnded } from "../backend/ended-status.js";
import { terminateCommand } from "../hub/terminate-command.js";
import { arrivalsAfter } from "../plan/arrivals.js";
import { instancesOfRun } from "../load/instances-of-run.js";
import { recountOfEach } from "../load/recount.js";
import { describeUnfinished } from "../load/unfinished.js";
import { LeftWork } from "../load/left-work.js";
import { resultPlanOf, type LoadPlan } from "../plan/plan.js";
import { instanceIdOf } from "../plan/run-id.js";
import type { Recount, ResultEnvironment, ResultPlan, RunResult, VerdictReason } from "../result/run-result.js";
import type { Shard } from "../result/shard.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { Recorder } from "../stats/recorder.js";
import { shardOf, type ShardResult } from "../stats/shards-of-run.js";
import { countsOf, countsOfEach, measuredOf, startsOf } from "./lost-counts.js";

const PATIENCE_MS = 30_000;
const LISTED_STUCK = 100;

export interface LostShardOptions {
  readonly backend: Backend;
  /** Of the shard. */
  readonly plan: LoadPlan & { readonly shard: Shard };
  readonly runId: string;
  readonly startedMs: number;
  readonly endedMs: number;
  readonly environment: ResultEnvironment;
  readonly interrupted: boolean;
  /** The last that its generator told. */
  readonly told: LiveSnapshot | undefined;
  readonly how: string;
  readonly leave: boolean;
  /** Only the run's own workers work on its instances. */
  readonly isOwn: boolean;
  readonly onLine: (line: string) => void;
}

/** By the number of the instance in the run. */
type Statuses = Map<number, InstanceState["status"]>;

/**
 * The part of a generator that died without a result, as far as the backend knows it: its instances are counted there,
 * and those that have not ended are terminated as those of a run that gave up. It has no latencies.
 */
export async function lostShard(options: LostShardOptions): Promise<ShardResult> {
  const { backend, plan, runId, startedMs, how, interrupted, onLine } = options;
  const before = await statusesOf(options);
  const isUnknown = "unknown" in before;
  const known: Statuses = isUnknown ? new Map() : before;
  if (isUnknown)
    onLine(`what it left in flight is not known (${before.unknown}); to end it: ${terminateCommand(runId)}`);
  const unfinished = [...known].flatMap(([sequence, status]) =>
    isEnded(status) ? [] : [instanceIdOf(runId, sequence)],
  );
  const stuck = await describeUnfinished(backend.client, unfinished);
  const leftWork = new LeftWork({ ...options, inFlight: new Set(unfinished), waitingForAnswer: () => 0 });
  await leftWork.afterGivingUp(options.isOwn || interrupted);
  const after = isUnknown ? before : await statusesOf(options);
  const starts = startsOf(known, options.told?.orchestrations.started ?? 0, plan.shard);
  const orchestrations = isUnknown ? toldCounts(options.told) : countsOf(starts);
  const resultPlan = resultPlanOf(plan);
  // Without the list, only the generator knew which of its orchestrations had ended.
  const isOfEachLost = isUnknown && orchestrations.unfinished < orchestrations.started;
  const ofEach = isOfEachLost ? undefined : countsOfEach(starts, resultPlan);
  const recorder = new Recorder({ plan: resultPlan, activitySource: "completions" });
  recorder.begin(startedMs);
  const { byOrchestration, ...result } = recorder.close(runId, {
    ...options,
    stoppedMs: options.endedMs,
    neverSent: arrivalsAfter(plan, orchestrations.started),
    activitiesCompleted: 0,
    activitiesExecuted: undefined,
    health: {},
    stuck: [],
    unanswered: [],
    noticing: {},
    outages: [],
    recount: recountOf(after, resultPlan),
    irregular: undefined,
    whereTimeWent: {},
  });
  return {
    ...shardOf(how, result),
    counts: { ...result.counts, orchestrations, measured: measuredOf(orchestrations, result.counts.measured) },
    ...(byOrchestration &&
      ofEach && {
        byOrchestration: byOrchestration.map((each, place) => {
          const counts = ofEach[place]!;
          return {
            ...each,
            counts: { ...each.counts, orchestrations: counts, measured: measuredOf(counts, each.counts.measured) },
          };
        }),
      }),
    ...(unfinished.length > 0 && { stuck: { total: unfinished.length, first: stuck.slice(0, LISTED_STUCK) } }),
    verdict: { status: "invalid", reasons: [reasonOf(how)] },
    died: how,
  };
}

function reasonOf(how: string): VerdictReason {
  return {
    severity: "invalid",
    name: "generator-died",
    text: `its process ${how}, so the rest of its load was not made and its latencies are lost`,
    advice: "see what ended the process, such as a lack of memory, and run it again",
  };
}

type Counts = RunResult["counts"]["orchestrations"];

/** What the generator knew last, where the backend does not list instances. */
function toldCounts({ orchestrations, own }: Partial<LiveSnapshot> = {}): Counts {
  const { started = 0 } = orchestrations ?? {};
  const { completed = 0, failed = 0, terminated = 0 } = own ?? {};
  return { started, completed, failed, terminated, unfinished: started - completed - failed - terminated };
}

/** The status of each instance of the shard, or why it is not known. */
async function statusesOf({
  backend,
  runId,
  plan,
}: LostShardOptions): Promise<Statuses | { readonly unknown: string }> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const found: Statuses = new Map();
  try {
    const instances = instancesOfRun({ client: backend.client, runId, shard: plan.shard, signal });
    for await (const [sequence, { status }] of instances) found.set(sequence, status);
    return found;
  } catch (error) {
    return { unknown: errorText(error) };
  }
}

/** Which starts were accepted died with the generator, so that none counts as lost or unexpected. */
function recountOf(statuses: Statuses | { readonly unknown: string }, plan: ResultPlan): Recount {
  if ("unknown" in statuses) return statuses;
  const byStatus: Record<string, number> = {};
  for (const status of statuses.values()) byStatus[status] = (byStatus[status] ?? 0) + 1;
  const none = { total: 0, first: [] };
  return {
    instances: statuses.size,
    byStatus,
    lost: none,
    unexpected: none,
    ...recountOfEach(plan, { instances: statuses.keys(), lost: [], unexpected: [] }),
  };
}
