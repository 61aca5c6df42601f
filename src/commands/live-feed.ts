import type { Backend } from "../backend/backend.js";
import { SeveralGenerators } from "../generators/several-generators.js";
import { RunFeed } from "../live/run-feed.js";
import { SeriesChanges } from "../live/series-changes.js";
import { SnapshotSeries } from "../live/snapshot-series.js";
import { liveRunOf } from "../live/waiting-update.js";
import type { LoadTest } from "../load/load-test.js";
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

const SAMPLE_EVERY_MS = 1_000;

/** What viewers are told of a run. */
export function feedOf(followed: FollowedRun, test: LoadTest | SeveralGenerators): RunFeed {
  const { call, runId, number } = followed;
  const { plan, thresholds, repeat } = call;
  const run = { ...liveRunOf({ runId, plan: resultPlanOf(plan), planLine: planLine(plan) }), number, of: repeat };
  return test instanceof SeveralGenerators
    ? new RunFeed({ run, thresholds, ...watchedBySnapshots(test) })
    : new RunFeed({ run, thresholds, watched: test, changes: changesOf(followed, test) });
}

function changesOf({ backend, call: { plan } }: FollowedRun, test: LoadTest) {
  const changes = new SeriesChanges();
  const isCounted = backend.admin !== undefined && plan.shard === undefined;
  const activities = activitiesOf(plan);
  const { load } = resultPlanOf(plan);
  const latency = load?.kind === "closed" ? ("service" as const) : ("response" as const);
  const credited = activities === undefined ? undefined : isCounted ? 0 : activities;
  return () => changes.next(test.seriesSoFar, { latency, credited });
}

/** Several generators are known by their snapshots while they run, and so also while nobody looks. */
function watchedBySnapshots(test: SeveralGenerators) {
  const series = new SnapshotSeries();
  setInterval(() => series.add(test.snapshot()), SAMPLE_EVERY_MS).unref();
  return {
    watched: {
      snapshot: () => test.snapshot(),
      standing: () => undefined,
      stallsSoFar: () => [test.snapshot().own?.stall ?? []].flat(),
    },
    changes: () => {
      series.add(test.snapshot());
      return series.next();
    },
  };
}
