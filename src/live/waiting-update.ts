import { lengthOf, plannedStarts } from "../result/load-shape.js";
import type { ResultPlan } from "../result/run-result.js";
import type { LiveRun, LiveUpdate } from "./live-update.js";

interface Planned {
  readonly runId: string;
  readonly plan: ResultPlan;
  readonly planLine: string;
}

export function liveRunOf({ runId, plan, planLine }: Planned): LiveRun {
  const { load = { kind: "once" }, warmupMs = 0, labels = {} } = plan;
  return { runId, planLine, load: load.kind, labels, warmupMs, number: 1, of: 1 };
}

/** What is known of a run before it tells anything itself. */
export function waitingUpdate(planned: Planned): LiveUpdate {
  const lengthMs = lengthOf(planned.plan);
  return {
    run: liveRunOf(planned),
    phase: { kind: "waiting" },
    snapshot: {
      elapsedMs: 0,
      ...(lengthMs !== undefined && { lengthMs }),
      orchestrations: { total: plannedStarts(planned.plan) ?? 0, started: 0, ended: 0 },
      activities: { total: 0, completed: 0 },
      responseMs: undefined,
    },
    series: { widthMs: 1_000, intervals: [] },
    stalls: [],
    thresholds: [],
  };
}
