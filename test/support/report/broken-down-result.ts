import type { PhaseTime, RunResult, TracedWorker } from "../../../src/result/run-result.js";
import { foldedTimeline } from "../../../src/timeline/fold.js";
import { timelinesOf } from "../../../src/timeline/timeline.js";
import { fanOuts } from "../timeline/told-history.js";
import { sampleResult } from "./sample-result.js";

/** A phase that took `meanMs` of two seconds in each, in `times` times. */
function phase(meanMs: number, times: number, more: Partial<PhaseTime> = {}): PhaseTime {
  const share = meanMs / 2_000;
  const mean = (24 * meanMs) / times;
  return {
    meanMs,
    share,
    shareInterval: { from: Math.max(0, share - 0.02), to: share + 0.02 },
    each: { count: times, mean, p50: 0.937_5 * mean, ...(times >= 100 && { p90: 1.5 * mean }), max: 3 * mean },
    ...more,
  };
}

function worker(workerId: string, mean: number): TracedWorker {
  const execute = { count: 1_200, mean: 5, p50: 4, p99: 30, max: 40 };
  const turnaround = { count: 1_200, mean, max: 4 * mean };
  return { workerId, activities: 1_200, execute, turnaround, clockOffsetMs: -5_000, clockBoundMs: 0.4 };
}

const FOLD = { spans: 10, marks: 5 };

/** A run of which 24 orchestrations were traced. */
export const brokenDownResult: RunResult = {
  ...sampleResult,
  breakdown: {
    orchestrations: { traced: 24, completed: 22, failed: 2, terminated: 0, unfinished: 0, retried: 1 },
    wholeMs: 2_000,
    phases: {
      slip: phase(20, 24),
      start: phase(60, 24, { boundMs: 5 }),
      firstDispatch: phase(20, 24),
      schedule: phase(300, 240),
      queue: phase(800, 240, { boundMs: 2 }),
      execute: phase(160, 240),
      return: phase(400, 240, { boundMs: 2 }),
      fanIn: phase(200, 240),
      finish: phase(40, 24),
    },
    examples: [
      {
        rank: "median",
        instanceId: "r-00000-011",
        wholeMs: 1_900,
        parts: [
          { phase: "start", ms: 100 },
          { phase: "queue", ms: 1_800 },
        ],
        timelines: timelinesOf([fanOuts(1, 3)], 0),
      },
      {
        rank: "slowest",
        instanceId: "r-00000-002",
        wholeMs: 3_800,
        parts: [{ phase: "queue", ms: 3_800 }],
        timelines: [foldedTimeline(timelinesOf([fanOuts(40, 3)], 0)[0]!, FOLD)],
      },
    ],
  },
  fanIn: {
    iterations: 240,
    iterationMs: 180,
    episodes: 1.4,
    stragglers: {
      lastMs: 140,
      medianMs: 50,
      ratio: 2.8,
      waitingShare: 0.45,
      execute: { longestMs: 120, medianMs: 32, ratio: 3.75 },
    },
    growth: {
      per100IterationsMs: 41,
      interval: { from: 38, to: 44 },
      groups: [
        { fromIteration: 0, iterations: 5, meanMs: 160 },
        { fromIteration: 5, iterations: 5, meanMs: 200 },
      ],
      continueAsNew: { every: 5, savedMs: 500, savedShare: 0.25, restartMs: 8, actions: 1 },
    },
  },
  workers: [
    {
      ...worker("host-11", 40),
      wholeRun: { activities: 60_000, episodes: 6_400, orchestratorMs: 2_500, slowestMs: 91 },
    },
    { ...worker("host-12", 90), timesTheOthers: 2.25 },
  ],
};
