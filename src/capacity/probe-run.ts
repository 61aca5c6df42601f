import { setTimeout as sleep } from "node:timers/promises";
import { clientClock } from "../async/clock.js";
import type { Backend } from "../backend/backend.js";
import { isMissingCall } from "../backend/missing-call.js";
import { LoadTest } from "../load/load-test.js";
import type { LoadPlan } from "../plan/plan.js";
import { instanceIdPrefixOf } from "../plan/run-id.js";
import type { Replay } from "../protocol/replay.js";
import { lengthOf, plannedStarts } from "../result/load-shape.js";
import type { RunResult } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { Threshold } from "../stats/threshold.js";
import { EarlyDecision, type ProbeMoment } from "./early-decision.js";
import { judgeProbe, type ProbeJudgement } from "./judge-probe.js";

const LOOK_EVERY_MS = 250;
/** How long to wait for the end of instances that were terminated. */
const DRAIN_MS = 10_000;
const DRAIN_PAUSE_MS = 250;
const LEFT_LISTED = 1_000;

export interface ProbeRunOptions {
  readonly backend: Backend;
  readonly replay: Replay;
  /** Its workers are the search's own: `workers` is 0. */
  readonly plan: LoadPlan;
  readonly runId: string;
  /** Undefined for a calibration, which is not judged. */
  readonly objectives: readonly Threshold[] | undefined;
  readonly interruption: AbortSignal;
  readonly onLine: (line: string) => void;
  /** Called several times a second. */
  readonly onSnapshot: (snapshot: LiveSnapshot) => void;
}

export interface ProbeRun extends ProbeJudgement {
  readonly result: RunResult;
  /** How long starts were sent, in milliseconds. */
  readonly loadMs: number;
  /** Whether it was decided before all of its time. */
  readonly early: boolean;
  /** Ended after the warm-up and before the last start, per second. */
  readonly completedPerSecond: number | undefined;
  /** Instances of this probe that are unfinished on the task hub. */
  readonly left: number;
}

/**
 * One probe: a run through the same generator as `fanout run`, in this process, so that it starts at once and can be ended
 * as soon as it is decided. Its starts then stop, and it waits for its own work to end, up to the grace of the plan; what
 * has not ended is terminated, by id. Undefined if it was interrupted.
 */
export async function runProbe(options: ProbeRunOptions): Promise<ProbeRun | undefined> {
  const { backend, replay, plan, runId, objectives, interruption, onLine, onSnapshot } = options;
  const { warmupMs = 0 } = plan;
  const lengthMs = (lengthOf(plan) ?? 0) - warmupMs;
  const test = new LoadTest({
    plan,
    backend,
    runId,
    clock: clientClock,
    attended: false,
    leave: false,
    terminateLeft: true,
    replay,
    interruption,
    onLine,
  });
  const planned = plan.load.kind === "open" ? plannedStarts({ ...plan, warmupMs: 0 }) : undefined;
  const decision = new EarlyDecision({ objectives: objectives ?? [], warmupMs, lengthMs, measuredStarts: planned });
  const moments: (ProbeMoment & { readonly completed: number })[] = [];
  let missed: string | undefined;
  let stoppedMs: number | undefined;
  const look = (): void => {
    const snapshot = test.snapshot();
    onSnapshot(snapshot);
    const { started, ended } = snapshot.orchestrations;
    const moment = { atMs: snapshot.elapsedMs, started, ended, completed: snapshot.own?.completed ?? 0 };
    if (stoppedMs !== undefined || moment.atMs >= warmupMs + lengthMs) return;
    moments.push(moment);
    const decided = objectives && decision.add(moment, test.resultSoFar());
    if (!decided) return;
    stoppedMs = moment.atMs;
    if (decided.kind === "missed") missed = decided.reason;
    test.endLoad();
  };
  const looking = setInterval(look, LOOK_EVERY_MS);
  try {
    const { result, gaveUp } = await test.run();
    clearInterval(looking);
    if (result.interrupted) return undefined;
    const isCutOff = result.counts.orchestrations.unfinished > 0;
    return {
      ...judgeProbe(result, objectives ?? [], missed ?? (isCutOff ? gaveUp : undefined)),
      result,
      loadMs: stoppedMs ?? warmupMs + lengthMs,
      early: stoppedMs !== undefined,
      completedPerSecond: completedPerSecond(moments, warmupMs),
      left: isCutOff ? await untilDrained(backend, runId, interruption) : 0,
    };
  } finally {
    clearInterval(looking);
    await test.close();
  }
}

function completedPerSecond(
  moments: readonly { readonly atMs: number; readonly completed: number }[],
  warmupMs: number,
): number | undefined {
  const first = moments.find(({ atMs }) => atMs >= warmupMs);
  const last = moments.at(-1);
  if (!first || !last || last.atMs <= first.atMs) return undefined;
  return ((last.completed - first.completed) * 1_000) / (last.atMs - first.atMs);
}

/** Waits for instances of this probe, and of no other run. Returns how many have not ended in time. */
async function untilDrained({ client }: Backend, runId: string, signal: AbortSignal): Promise<number> {
  const query = {
    instanceIdPrefix: instanceIdPrefixOf(runId),
    statuses: ["Pending", "Running", "Suspended"] as const,
    pageSize: LEFT_LISTED,
  };
  for (const deadlineMs = performance.now() + DRAIN_MS; ;) {
    try {
      const { instances } = await client.queryInstances(query, { signal });
      if (instances.length === 0 || performance.now() > deadlineMs) return instances.length;
    } catch (error) {
      // A backend without queries has been asked to end them by id; it cannot be asked what is left.
      if (signal.aborted || isMissingCall(error)) return 0;
      throw error;
    }
    await sleep(DRAIN_PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}
