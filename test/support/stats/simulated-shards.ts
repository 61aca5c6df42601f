import * as fc from "fast-check";
import { arrivals, arrivalsAfter } from "../../../src/plan/arrivals.js";
import { uniformAt } from "../../../src/orchestrations/hash-draw.js";
import type { ResultPlan, RunResult } from "../../../src/result/run-result.js";
import { sequenceOfShard, type Shard } from "../../../src/result/shard.js";
import type { Completion } from "../../../src/stats/completion.js";
import { Recorder } from "../../../src/stats/recorder.js";
import { sampleResult } from "../report/sample-result.js";

export const STARTED_MS = Date.UTC(2030, 0, 1);
export const SEED = 5;
/** The backend's clock is so far ahead of the clients'. */
const OFFSET_MS = 30;
const LENGTH_MS = 4_000;
export const MIX = [
  { orchestrator: "Order", weight: 2.5 },
  { orchestrator: "Refund", weight: 1 },
];

/** What a simulated backend does with the starts of a load: the same whoever sends them. */
export interface Simulation {
  readonly plan: ResultPlan;
  readonly meanMs: number;
  readonly failing: number;
  readonly tellsTimes: boolean;
}

export const simulations: fc.Arbitrary<Simulation> = fc.record({
  plan: fc.constantFrom("constant", "poisson").map((arrival): ResultPlan => {
    return {
      iterations: 1,
      parallelActivities: 3,
      load: {
        kind: "open",
        arrival,
        stages: [{ fromPerSecond: 50, toPerSecond: 200, lengthMs: LENGTH_MS - 1_000 }],
        maxInFlight: 1_000,
      },
      warmupMs: 1_000,
      seed: SEED,
      workers: 0,
      timeoutMs: 60_000,
      orchestrations: MIX,
    };
  }),
  meanMs: fc.integer({ min: 5, max: 400 }),
  failing: fc.constantFrom(0, 0.05),
  tellsTimes: fc.boolean(),
});

interface Recorded {
  readonly recorder: Recorder;
  readonly completions: readonly Completion[];
}

/** What the generator of a shard has recorded until then; without a time, all. */
export function recordedOf(
  { plan, meanMs, failing, tellsTimes }: Simulation,
  shard?: Shard,
  untilMs = Number.POSITIVE_INFINITY,
): Recorded {
  const own: ResultPlan = { ...plan, ...(shard && { shard }) };
  const recorder = new Recorder({ plan: own, activitySource: "completions" });
  recorder.begin(STARTED_MS);
  const completions = [...arrivals({ ...own, seed: SEED })].map((dueMs, ordinal): Completion => {
    const sequence = sequenceOfShard(ordinal, shard);
    const draw = (salt: number) => uniformAt(salt, sequence);
    const intendedMs = STARTED_MS + dueMs;
    const sentMs = intendedMs + draw(1);
    const acceptedMs = sentMs + 1 + draw(2);
    const completedMs = acceptedMs - Math.log(1 - draw(3)) * meanMs;
    const server = { createdMs: OFFSET_MS + sentMs + 1, completedMs: OFFSET_MS + completedMs };
    const hasFailed = draw(4) < failing;
    return {
      start: { instanceId: `run-${sequence}`, sequence, intendedMs, sentMs, acceptedMs, heldBack: false },
      noticedMs: completedMs + 1,
      outcome: hasFailed ? "failed" : "completed",
      server: tellsTimes ? server : undefined,
      failure: hasFailed ? { type: "Error", message: `of ${sequence}` } : undefined,
    };
  });
  const events = completions.flatMap((completion) => [
    { atMs: completion.start.sentMs, completion, isEnd: false },
    { atMs: completion.noticedMs, completion, isEnd: true },
  ]);
  for (const { atMs, completion, isEnd } of events.toSorted((a, b) => a.atMs - b.atMs)) {
    if (atMs > untilMs) break;
    if (isEnd) {
      recorder.add(completion);
    } else {
      recorder.addSend(completion.start);
      recorder.addAnswer(completion.start);
    }
  }
  return { recorder, completions };
}

/** `heldBackFromMs`: from then on nothing is sent, although it is due. */
export function resultOf(simulation: Simulation, shard?: Shard, heldBackFromMs = Number.POSITIVE_INFINITY): RunResult {
  const { recorder, completions } = recordedOf(simulation, shard, STARTED_MS + heldBackFromMs);
  const own = { ...simulation.plan, seed: SEED, ...(shard && { shard }) };
  const failed = recorder.counts.failed;
  const endedMs = Math.max(...completions.map(({ noticedMs }) => noticedMs));
  return recorder.close("run", {
    endedMs,
    interrupted: false,
    stoppedMs: endedMs,
    neverSent: arrivalsAfter(own, recorder.counts.started),
    environment: sampleResult.environment,
    activitiesCompleted: 0,
    activitiesExecuted: undefined,
    health: {},
    stuck: [],
    unanswered: [],
    noticing: { QueryInstances: 2 },
    outages: [],
    recount: {
      instances: completions.length,
      byStatus: { Completed: completions.length - failed, Failed: failed },
      lost: { total: 0, first: [] },
      unexpected: { total: 0, first: [] },
    },
    irregular: { instances: failed, actions: 3 * failed, measured: 3 * failed },
    whereTimeWent: {},
  });
}

export function shardsOf(simulation: Simulation, of: number, heldBackFromMs?: number): RunResult[] {
  return Array.from({ length: of }, (_, index) => resultOf(simulation, { number: index + 1, of }, heldBackFromMs));
}
