import { foundText } from "../report/threshold-text.js";
import { figureOf } from "../result/figure.js";
import type { JudgedThreshold, RunResult, Stall } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { ResultSoFar } from "../stats/result-so-far.js";
import { isMissedForGood, judge, type Threshold } from "../stats/threshold.js";
import type { LivePhase, LiveRun, LiveSeries, LiveThreshold, LiveUpdate } from "./live-update.js";

/** What a run knows while it runs. */
interface WatchedRun {
  snapshot(): LiveSnapshot;
  /** Undefined before the first start, and while it is not known. */
  standing(): ResultSoFar | undefined;
  /** Why it is not known. */
  unjudged?(): string | undefined;
  stallsSoFar(): readonly Stall[];
}

export interface RunFeedOptions {
  readonly run: LiveRun;
  readonly watched: WatchedRun;
  readonly thresholds: readonly Threshold[];
  /** What has changed since the update before. */
  readonly changes: () => LiveSeries;
}

/** Makes the updates of one run, from what the run collects anyway. */
export class RunFeed {
  /** Of a run that is over, whose time goes on by the clock. */
  #last: LiveUpdate | undefined;

  constructor(readonly options: RunFeedOptions) {}

  update(phase: LivePhase): LiveUpdate {
    const { run, watched, thresholds, changes } = this.options;
    if (this.#last) return { ...this.#last, phase, series: { ...this.#last.series, intervals: [] } };
    const standing = watched.standing();
    const snapshot = watched.snapshot();
    const hasBegun = standing !== undefined || snapshot.orchestrations.started > 0;
    const reason = hasBegun ? watched.unjudged?.() : undefined;
    const update: LiveUpdate = {
      run,
      phase: phase.kind === "running" && !hasBegun ? { kind: "waiting" } : phase,
      snapshot,
      series: changes(),
      stalls: watched.stallsSoFar(),
      thresholds: thresholds.map((threshold) =>
        standing === undefined
          ? { expression: threshold.expression, state: "open", ...(reason !== undefined && { reason }) }
          : liveThreshold(threshold, standing),
      ),
      verdict: standing?.verdict,
    };
    if (phase.kind === "ended" || phase.kind === "failed") this.#last = update;
    return update;
  }
}

function liveThreshold(threshold: Threshold, standing: ResultSoFar): LiveThreshold {
  const { expression } = threshold;
  const judged = judge(threshold, threshold.figure === figureOf("errors") ? withoutUnfinished(standing) : standing);
  const { reason } = judged;
  return {
    expression,
    state: stateOf(judged, isMissedForGood(threshold, standing)),
    found: foundText(judged),
    // The state says that it is not judged yet.
    ...(reason !== undefined && { reason: reason.replace(/^not judged, /u, "") }),
  };
}

/** What is in flight has not failed yet. */
function withoutUnfinished(result: RunResult): RunResult {
  const { orchestrations } = result.counts;
  const ended = { ...orchestrations, started: orchestrations.started - orchestrations.unfinished, unfinished: 0 };
  return { ...result, counts: { ...result.counts, orchestrations: ended } };
}

function stateOf({ passed, reason }: JudgedThreshold, forGood: boolean): LiveThreshold["state"] {
  if (forGood) return "missed-for-good";
  if (passed) return "holds";
  return reason === undefined ? "missed" : "open";
}
