import type { z } from "zod";
import { count, list, number, object, oneOf, signed, string } from "./json-field.js";
import { latency } from "./latency-schema.js";
import { measured } from "./measured-field.js";
import { timeline } from "./timeline-schema.js";

/** What each phase is, in the order of an orchestration. */
export const PHASE_MEANINGS = {
  slip: "intended start until sent, by the client's clock",
  start: "sent until created, from the client's clock to the backend's",
  earlierExecutions: "created until the last continue-as-new, by the backend's clock; histories before it are gone",
  firstDispatch: "created until the first episode began, by the backend's clock",
  schedule: "an episode began until it had asked for the activity, by the backend's clock",
  queue: "activity asked for until its execution began, from the backend's clock to the worker's",
  execute: "execution of the activity, by the worker's clock",
  return: "execution ended until the result was in the history, from the worker's clock to the backend's",
  activity: "activity asked for until its result was in the history, where the worker does not stamp or it failed",
  timer: "timer asked for until it had fired, by the backend's clock",
  signal: "waiting for an event from outside, by the backend's clock",
  subOrchestration: "the way from and to a sub-orchestration, or all of one whose history is not known",
  fanIn: "the last result until the next episode began, by the backend's clock",
  finish: "the last episode began until the orchestration had ended, by the backend's clock",
  open: "the last episode began until the orchestration was cut off",
  notice: "ended until the client noticed, from the backend's clock to the client's",
  startAndNotice: "start and notice together: the clocks' bound is larger than one of them",
  queueAndReturn: "queue and return together: the clocks' bound is larger than one of them",
} as const;

export type BreakdownPhase = keyof typeof PHASE_MEANINGS;

export const BREAKDOWN_PHASES = Object.keys(PHASE_MEANINGS) as readonly BreakdownPhase[];

/** Phases between the same two clocks, which are one where the clocks' bound is larger than one of them. */
export const MERGED_PHASES = {
  startAndNotice: ["start", "notice"],
  queueAndReturn: ["queue", "return"],
} as const satisfies Partial<Record<BreakdownPhase, readonly [BreakdownPhase, BreakdownPhase]>>;

export const phaseTime = object({
  meanMs: measured.duration.describe("All of it in one orchestration, on the average."),
  share: measured.share.describe("meanMs over wholeMs."),
  shareInterval: object({ from: number, to: number })
    .exactOptional()
    .describe("The 95 % confidence interval of the share; absent with one orchestration."),
  each: latency.describe("Each time that it happened on a critical path."),
  boundMs: measured.duration
    .exactOptional()
    .describe("Where it crosses clocks: the means are true within plus or minus this."),
}).meta({ id: "PhaseTime" });

/** One field for each phase, so that a threshold can name it by a path. */
const phaseTimes = object(
  Object.fromEntries(
    BREAKDOWN_PHASES.map((phase) => [phase, phaseTime.exactOptional().describe(`${PHASE_MEANINGS[phase]}.`)]),
  ) as Record<BreakdownPhase, z.ZodExactOptional<typeof phaseTime>>,
);

export const breakdownExample = object({
  rank: oneOf("median", "slowest"),
  instanceId: string,
  wholeMs: number,
  parts: list(object({ phase: oneOf(...BREAKDOWN_PHASES), ms: number })).describe(
    "What its time was spent on, in order; start and notice, or queue and return, as one are at the place of the second. " +
      "Of more than 120 parts: equal slices of the time, each as the phase that has most of it.",
  ),
  timelines: list(timeline)
    .exactOptional()
    .describe(
      "What it waited for, and when: the orchestration, followed by the first of its sub-orchestrations. What is too much " +
        "for a result is folded.",
    ),
}).meta({ id: "BreakdownExample" });

/** Where the time of a sample of orchestrations went, along their critical paths. */
export const breakdown = object({
  orchestrations: object({
    traced: measured.count.describe("Orchestrations that the figures are of."),
    completed: measured.count,
    failed: measured.count,
    terminated: measured.count,
    unfinished: measured.count.describe("Until the run ended."),
    retried: measured.count.describe("Of them, those with an activity that failed."),
  }),
  wholeMs: measured.duration
    .exactOptional()
    .describe("Intended start until the end was noticed, on the average. The phases' meanMs add up to it."),
  phases: phaseTimes.exactOptional().describe("Only those that occurred, in the order of an orchestration."),
  examples: list(breakdownExample).exactOptional().describe("The traced orchestration in the middle, and the slowest."),
  contradictory: measured.count
    .exactOptional()
    .describe("Traced orchestrations left out: their history is gone, or clocks that were set contradict each other."),
  missing: string.exactOptional().describe("Why not all traced orchestrations are in it."),
});

export const growth = object({
  per100IterationsMs: signed.describe(
    "What each further 100 iterations add to an iteration: the slope of a fitted line.",
  ),
  interval: object({ from: signed, to: signed }).describe("Its 95 % confidence interval."),
  groups: list(object({ fromIteration: count, iterations: count, meanMs: number })).describe(
    "What an iteration took, by its number in its execution, counted from 0; neighbours are taken together.",
  ),
  continueAsNew: object({
    every: count.describe(
      "The K of --continue-as-new-every for which an orchestration is quickest, by the fitted line.",
    ),
    savedMs: number.describe("What that would save of each orchestration."),
    savedShare: number.describe("savedMs over what the iterations of an orchestration took."),
    restartMs: number.describe("What each more execution is taken to cost, besides the growth."),
    actions: count.describe("The executions, and so the actions, that an orchestration would cost more."),
  })
    .exactOptional()
    .describe("Absent where the interval does not lie above 0, and where continue-as-new would save nothing."),
});

/** What the traced orchestrations' fan-outs waited for. */
export const fanIn = object({
  iterations: measured.count.describe("Fan-outs that were fanned in."),
  iterationMs: measured.duration.describe("From the episode that asked for the activities to the one that went on."),
  episodes: measured.mean.describe("Episodes in an iteration, those included that had to wait on."),
  stragglers: object({
    lastMs: measured.duration.describe(
      "TaskScheduled until the result, of the last activity of a fan-out, on average.",
    ),
    medianMs: measured.duration.describe("The same of the median activity of a fan-out, on average."),
    ratio: measured.mean.exactOptional().describe("lastMs over medianMs."),
    waitingShare: measured.share
      .exactOptional()
      .describe("The share of the orchestrations' time that was spent waiting for the last beyond the median."),
    execute: object({
      longestMs: measured.duration.describe("The longest execution of a fan-out, on average."),
      medianMs: measured.duration.describe("The median execution of a fan-out, on average."),
      ratio: measured.mean.exactOptional().describe("longestMs over medianMs."),
    })
      .exactOptional()
      .describe(
        "Of the executions alone, by their workers' clocks, in fan-outs whose activities all have stamps; absent without any.",
      ),
  })
    .exactOptional()
    .describe("Absent where a fan-out has one activity."),
  growth: growth.exactOptional().describe("Absent with fewer than 10 iterations in an execution."),
});

export const workerPause = object({
  at: string.describe("ISO 8601, by the backend's clock."),
  lengthMs: number,
  inHand: count.describe("Traced activities that it was executing throughout the pause."),
});

export const tracedWorker = object({
  workerId: string,
  host: string.exactOptional().describe("The machine or the container; absent where version is."),
  version: string
    .exactOptional()
    .describe("Of its fanout; absent where it does not say: an older one, or another program."),
  activities: count.describe("Of the traced orchestrations, executed here."),
  execute: latency.exactOptional().describe("By the worker's clock; absent where it executed none of them."),
  turnaround: latency
    .exactOptional()
    .describe("TaskScheduled until the result was in the history, by the backend's clock; absent like execute."),
  clockOffsetMs: signed.exactOptional().describe("The worker's clock minus the backend's."),
  clockBoundMs: number.exactOptional().describe("The offset is true within plus or minus this."),
  timesTheOthers: number
    .exactOptional()
    .describe("By which factor the turnaround differs from that of the others, where that is more than noise."),
  pause: workerPause
    .exactOptional()
    .describe(
      "The longest time in which it got nothing done, where its activities and the other workers do not explain it.",
    ),
  wholeRun: object({
    activities: count,
    episodes: count,
    orchestratorMs: number.describe(
      "Time in its episodes: reading a history, replaying it, the orchestrator's code, and writing what it asks for.",
    ),
    slowestMs: number.exactOptional().describe("Its slowest activity; absent without any."),
  })
    .exactOptional()
    .describe(
      "What it executed of all orchestrations, whatever became of the results, as it says itself: a worker of the run's own.",
    ),
});
