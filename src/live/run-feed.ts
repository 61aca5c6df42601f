import { foundText } from "../report/threshold-text.js";
import { figureOf } from "../result/figure.js";
import type { JudgedThreshold, RunResult, Stall } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { SeriesSoFar } from "../stats/series.js";
import { isMissedForGood, judge, type Threshold } from "../stats/threshold.js";
import type { LivePhase, LiveRun, LiveThreshold, LiveUpdate } from "./live-update.js";
import { SeriesChanges, type SeriesKind } from "./series-changes.js";

/** What a run knows while it runs. */
interface WatchedRun {
  snapshot(): LiveSnapshot;
  /** Undefined before the first start. */
  standing(): RunResult | undefined;
  readonly seriesSoFar: SeriesSoFar;
  stallsSoFar(): readonly Stall[];
}

export interface RunFeedOptions {
  readonly run: LiveRun;
  readonly watched: WatchedRun;
  readonly thresholds: readonly Threshold[];
  readonly kind: SeriesKind;
}

/** Makes the updates of one run, from what the run collects anyway. */
export class RunFeed {
  readonly #changes = new SeriesChanges();
  /** Of a run that is over, whose time goes on by the clock. */
  #last: LiveUpdate | undefined;

  constructor(readonly options: RunFeedOptions) {}

  update(phase: LivePhase): LiveUpdate {
    const { run, watched, thresholds, kind } = this.options;
    if (this.#last) return { ...this.#last, phase, series: { ...this.#last.series, intervals: [] } };
    const standing = watched.standing();
    const update: LiveUpdate = {
      run,
      phase: phase.kind === "running" && standing === undefined ? { kind: "waiting" } : phase,
      snapshot: watched.snapshot(),
      series: this.#changes.next(watched.seriesSoFar, kind),
      stalls: watched.stallsSoFar(),
      thresholds: thresholds.map((threshold) => liveThreshold(threshold, standing)),
      verdict: standing?.verdict,
    };
    if (phase.kind === "ended" || phase.kind === "failed") this.#last = update;
    return update;
  }
}

function liveThreshold(threshold: Threshold, standing: RunResult | undefined): LiveThreshold {
  const { expression } = threshold;
  if (standing === undefined) return { expression, state: "open" };
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
