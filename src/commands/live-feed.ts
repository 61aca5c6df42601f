import type { Backend } from "../backend/backend.js";
import type { SeveralGenerators } from "../generators/several-generators.js";
import { RunFeed } from "../live/run-feed.js";
import { SeriesChanges } from "../live/series-changes.js";
import { liveRunOf } from "../live/waiting-update.js";
import { LoadTest } from "../load/load-test.js";
import { resultPlanOf } from "../plan/plan.js";
import { planLine } from "../report/plan-line.js";
import { activitiesOf } from "../result/run-size.js";
import type { RunCall } from "./run-call.js";

interface FollowedRun {
  readonly backend: Backend;
  readonly call: Pick<RunCall, "plan" | "thresholds" | "repeat">;
  readonly runId: string;
  readonly number: number;
}

/** What viewers are told of a run. */
export function feedOf(followed: FollowedRun, test: LoadTest | SeveralGenerators): RunFeed {
  const { call, runId, number } = followed;
  const { plan, thresholds, repeat } = call;
  const run = { ...liveRunOf({ runId, plan: resultPlanOf(plan), planLine: planLine(plan) }), number, of: repeat };
  return new RunFeed({ run, thresholds, watched: test, changes: changesOf(followed, test) });
}

function changesOf({ backend, call: { plan } }: FollowedRun, test: LoadTest | SeveralGenerators) {
  const changes = new SeriesChanges();
  // Each generator knows its own completions, and the emulator counts the activities of all.
  const isCounted = backend.admin !== undefined && plan.shard === undefined && test instanceof LoadTest;
  const activities = activitiesOf(plan);
  const { load } = resultPlanOf(plan);
  const latency = load?.kind === "closed" ? ("service" as const) : ("response" as const);
  const credited = activities === undefined ? undefined : isCounted ? 0 : activities;
  return () => changes.next(test.seriesSoFar, { latency, credited });
}
