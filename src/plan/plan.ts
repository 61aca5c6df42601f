import { basename } from "node:path";
import { z } from "zod";
import type { LoadShape } from "../result/load-shape.js";
import type { ResultPlan } from "../result/run-result.js";
import { count, duration, readFlags } from "./flag-values.js";
import { foreignFlags, foreignOf, type ForeignPlan } from "./foreign-orchestration.js";
import type { PlanInputs } from "./input-lines.js";
import { instanceFlags, instancePlanOf } from "./instance-flags.js";
import { labelFlags, labelsOf } from "./labels.js";
import { loadFlags, loadOf, type LoadTiming } from "./load-flags.js";
import { mixFlags, mixOf, resultMixOf, type MixedOrchestration } from "./orchestration-mix.js";
import { defaultTraceShare, traceFlags } from "./trace-sample.js";
import { workloadFlags, workloadOf, type WorkloadPlan } from "./workload-flags.js";

const MOST_WORKERS = 64;

const WORKER_WARNING_MS = 10_000;
const WORKER_DEADLINE_MS = 60_000;
/** Long enough for a backend to be moved or updated. */
const MAX_OUTAGE_MS = 5 * 60_000;

/** The plan of a run, validated once and never changed: the part that a result shows, and the part that it does not. */
export interface LoadPlan
  extends Omit<ResultPlan, keyof WorkloadPlan | "orchestrations">, Partial<WorkloadPlan>, Partial<ForeignPlan> {
  readonly load: LoadShape;
  /** In place of `orchestrator`. */
  readonly orchestrations?: readonly MixedOrchestration[];
  readonly seed: number;
  /** After this long without a worker, the run tells a person what to start. */
  readonly workerWarningMs: number;
  /** After this long without a worker, a run without a terminal gives up. */
  readonly workerDeadlineMs: number;
  /** A backend that stays away for longer ends the run. */
  readonly maxOutageMs: number;
  /** The share of instances whose time is broken down. */
  readonly traceShare: number;
}

/** The flags of `fanout run` that make up its plan, as commander returns them. */
const planFlags = z.object({
  plan: z.string().optional(),
  ...workloadFlags,
  ...foreignFlags,
  ...mixFlags,
  ...loadFlags,
  ...instanceFlags,
  ...labelFlags,
  ...traceFlags,
  workers: z.union([z.literal("auto"), count("--workers", 0, MOST_WORKERS, "auto or a whole number such as 2")]),
  timeout: duration("--timeout"),
  workerTimeout: duration("--worker-timeout").optional(),
  maxOutage: duration("--max-outage").default(MAX_OUTAGE_MS),
});

/**
 * Reads a plan from flags.
 * @throws UsageError that names the flag, what was expected and what was found
 */
export function parsePlan(flags: unknown): LoadPlan {
  const parsed = readFlags(planFlags, flags);
  const { plan: file, seed = 0, workers, timeout, workerTimeout, maxOutage, traceSample } = parsed;
  const orchestrations = mixOf(parsed);
  const foreign = foreignOf(parsed);
  const load = withinInputs(loadOf(parsed), foreign?.inputs);
  return {
    ...(file !== undefined && { planFile: basename(file) }),
    ...(orchestrations ? { orchestrations } : (foreign ?? workloadOf(parsed))),
    ...load,
    seed,
    ...instancePlanOf(parsed),
    ...labelsOf(parsed),
    workers,
    timeoutMs: timeout,
    workerWarningMs: workerTimeout ?? WORKER_WARNING_MS,
    workerDeadlineMs: workerTimeout ?? WORKER_DEADLINE_MS,
    maxOutageMs: maxOutage,
    traceShare: traceSample ?? defaultTraceShare(load),
  };
}

/** Closed load that only time bounds ends when inputs that are taken once are used up. */
function withinInputs(timing: LoadTiming, inputs: PlanInputs | undefined): LoadTiming {
  const { load } = timing;
  if (inputs?.order !== "once" || load.kind !== "closed" || load.total !== undefined) return timing;
  return { ...timing, load: { ...load, total: inputs.lines } };
}

/**
 * The part of a plan that a result shows. It lacks how the run is carried out and measured, and somebody's own inputs.
 */
export function resultPlanOf(plan: LoadPlan): ResultPlan {
  const { orchestratorInput: _input, inputPath: _path, inputValues: _values, ...rest } = plan;
  const {
    workerWarningMs: _warning,
    workerDeadlineMs: _deadline,
    maxOutageMs: _outage,
    traceShare: _share,
    orchestrations,
    ...told
  } = rest;
  return { ...told, ...(orchestrations && { orchestrations: resultMixOf(orchestrations) }) };
}
