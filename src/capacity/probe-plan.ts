import type { LoadPlan } from "../plan/plan.js";
import type { Threshold } from "../stats/threshold.js";
import { probeLengthMs, startsToPlan } from "./probe-length.js";

const LEAST_WARMUP_MS = 2_000;
const MOST_WARMUP_MS = 15_000;
/** Warm-up in usual latencies: the number in flight is then what it stays. */
const WARMUP_LATENCIES = 3;
/** Without a backlog, a closed probe needs its samples and a few generations of orchestrations. */
const CLOSED_LEAST_MS = 5_000;
const CLOSED_GENERATIONS = 5;
const CLOSED_MOST_MS = 120_000;
/** More in flight may each take longer: twice as long, and the samples still suffice. */
const CLOSED_MARGIN = 2;

export interface ProbePlanOptions {
  /** The work of each orchestration, the arrivals and the grace. */
  readonly plan: LoadPlan;
  readonly objectives: readonly Threshold[];
  readonly load: "open" | "closed";
  readonly level: number;
  readonly resolution: number;
  /** The usual latency of the probe before; undefined if unknown. */
  readonly typicalMs: number | undefined;
  /** Closed load: the throughput that is expected; undefined if unknown. */
  readonly perSecond: number | undefined;
  /** Probes that repeat a level take other random arrivals. */
  readonly number: number;
  readonly warmupMs: number | undefined;
}

/** The plan of one probe: a run with the load of its level, whose workers are the search's. */
export function probePlan(options: ProbePlanOptions): LoadPlan {
  const { plan, objectives, load, level, resolution, typicalMs = 0, number } = options;
  const { warmupMs = Math.min(MOST_WARMUP_MS, Math.max(LEAST_WARMUP_MS, WARMUP_LATENCIES * typicalMs)) } = options;
  const common = { ...plan, workers: 0, traceShare: 0, warmupMs: Math.ceil(warmupMs), seed: plan.seed + number };
  if (load === "open") {
    const lengthMs = probeLengthMs(objectives, level, resolution);
    const stage = { fromPerSecond: level, toPerSecond: level, lengthMs };
    const { arrival, maxInFlight } = openOf(plan);
    return { ...common, load: { kind: "open", arrival, maxInFlight, stages: [stage] } };
  }
  const { perSecond = level / Math.max(typicalMs / 1_000, 0.001) } = options;
  const samplesMs = (startsToPlan(objectives) * 1_000) / perSecond;
  const durationMs = Math.ceil(
    Math.min(CLOSED_MOST_MS, Math.max(CLOSED_LEAST_MS, samplesMs, CLOSED_GENERATIONS * typicalMs)),
  );
  return { ...common, parallelOrchestrations: level, load: { kind: "closed", durationMs } };
}

/**
 * The least number in flight whose longest probe has the samples of the objectives.
 * @param perSecond the orchestrations a second with one in flight
 */
export function leastClosedLevel(objectives: readonly Threshold[], perSecond: number): number {
  const wanted = (startsToPlan(objectives) * 1_000) / CLOSED_MOST_MS;
  return wanted <= perSecond ? 1 : Math.ceil((CLOSED_MARGIN * wanted) / perSecond);
}

function openOf({ load }: LoadPlan) {
  if (load.kind !== "open") throw new Error("Expected a search plan with open load.");
  return load;
}
