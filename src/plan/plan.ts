import { z } from "zod";
import { UsageError } from "../errors.js";
import { formatCount } from "../format/count.js";
import type { ResultPlan } from "../result/run-result.js";
import { count, duration, readFlags } from "./flags.js";
import { foreignFlags, foreignOf, type ForeignOrchestration } from "./foreign-orchestration.js";
import { labelFlags, labelsOf } from "./labels.js";
import { loadFlags, loadOf, type LoadTiming } from "./load-flags.js";
import { workloadFlags, workloadOf, type WorkloadPlan } from "./workload-flags.js";

/** More than this is a day's work for a laptop, and an orchestration's history has to fit into a worker's memory. */
const MOST_ACTIVITIES_IN_ONE = 1_000_000;
const MOST_WORKERS = 64;

const WORKER_WARNING_MS = 10_000;
const WORKER_DEADLINE_MS = 60_000;

/** What a run does: validated once, changed never. */
export interface LoadPlan extends WorkloadPlan, LoadTiming {
  /** This and the next are absent where somebody's own orchestration is started. */
  readonly iterations?: number;
  readonly parallelActivities?: number;
  readonly orchestrator?: ForeignOrchestration;
  /** What arrivals and activity durations are drawn from. */
  readonly seed: number;
  readonly labels?: Readonly<Record<string, string>>;
  /** `auto`: start own workers where the embedded emulator has none. */
  readonly workers: "auto" | number;
  /** Counted from the last start; where the load has an end of its own `graceMs` counts instead. */
  readonly timeoutMs: number;
  /** After this long without a worker a person is told what to start. */
  readonly workerWarningMs: number;
  /** After this long without a worker, and with nobody at a terminal to start one, the run gives up. */
  readonly workerDeadlineMs: number;
}

/** The flags of `fanout run` that make up its plan, as commander hands them over. */
const planFlags = z.object({
  iterations: count("--iterations", 1, MOST_ACTIVITIES_IN_ONE),
  parallelActivities: count("--parallel-activities", 1, MOST_ACTIVITIES_IN_ONE),
  workers: z.union([z.literal("auto"), count("--workers", 0, MOST_WORKERS, "auto or a whole number such as 2")]),
  timeout: duration("--timeout"),
  workerTimeout: duration("--worker-timeout").optional(),
  ...loadFlags,
  ...labelFlags,
  ...workloadFlags,
  ...foreignFlags,
});

/**
 * Reads a plan from flags.
 * @throws UsageError that names the flag, what was expected and what was found
 */
export function parsePlan(flags: unknown): LoadPlan {
  const parsed = readFlags(planFlags, flags);
  const { seed = 0, workers, timeout, workerTimeout } = parsed;
  const orchestrator = foreignOf(parsed);
  return {
    ...(orchestrator ? { orchestrator } : { ...fanOutOf(parsed), ...workloadOf(parsed) }),
    ...loadOf(parsed),
    seed,
    ...labelsOf(parsed),
    workers,
    timeoutMs: timeout,
    workerWarningMs: workerTimeout ?? WORKER_WARNING_MS,
    workerDeadlineMs: workerTimeout ?? WORKER_DEADLINE_MS,
  };
}

/** What of a plan a result tells: neither what a run does about workers that are missing, nor somebody's own input. */
export function resultPlanOf(loadPlan: LoadPlan): ResultPlan {
  const { orchestrator, workerWarningMs: _warning, workerDeadlineMs: _deadline, ...plan } = loadPlan;
  return { ...plan, ...(orchestrator && { orchestrator: orchestrator.name }) };
}

function fanOutOf({ iterations, parallelActivities }: { iterations: number; parallelActivities: number }) {
  const activities = iterations * parallelActivities;
  if (activities > MOST_ACTIVITIES_IN_ONE) {
    throw new UsageError(
      `--iterations x --parallel-activities: expected at most ${formatCount(MOST_ACTIVITIES_IN_ONE)} activities in ` +
        `one orchestration, found ${formatCount(activities)}; use --parallel-orchestrations to spread them`,
    );
  }
  return { iterations, parallelActivities };
}
