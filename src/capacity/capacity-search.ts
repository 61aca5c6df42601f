import type { Backend } from "../backend/backend.js";
import { FanoutError } from "../errors.js";
import { costOf, type PlanCost } from "../result/plan-cost.js";
import { lengthOf } from "../result/load-shape.js";
import type { CapacityEnding, CapacityProbe } from "../result/capacity-schema.js";
import type { ResultEnvironment } from "../result/run-result.js";
import type { LoadPlan } from "../plan/plan.js";
import { plannedCostOf } from "../plan/planned-cost.js";
import { repeatedRunId } from "../plan/run-id.js";
import type { Replay } from "../protocol/replay.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { Threshold } from "../stats/threshold.js";
import { leastClosedLevel, probePlan } from "./probe-plan.js";
import { runProbe, type ProbeRun } from "./probe-run.js";
import { findingsOf, nextStep, type Findings, type ProbedLevel, type SearchBounds } from "./search.js";
import { startSearchWorkers } from "./search-workers.js";

/** Each calibration keeps this many times as many in flight as the one before. */
const CALIBRATION_STEPS = [4, 16, 64];
const CALIBRATION_MS = 2_000;
/** A calibration that does not gain this much ends them. */
const CALIBRATION_GAIN = 1.5;
/** Closed load has no waiting line, so its throughput is more than the objective allows: the search begins below. */
const CALIBRATED_SHARE = 0.5;
const NEAR_HALF = 0.1;

export interface CapacitySearchOptions {
  readonly backend: Backend;
  readonly replay: Replay;
  /** The work of each orchestration, the arrivals, the grace, and the workers. */
  readonly plan: LoadPlan;
  readonly searchId: string;
  readonly load: "open" | "closed";
  readonly objectives: readonly Threshold[];
  /** Undefined: a calibration finds the first level. */
  readonly from: number | undefined;
  readonly precision: number;
  readonly warmupMs: number | undefined;
  readonly maxTimeMs: number;
  /** For the whole search. */
  readonly maxActions: number | undefined;
  readonly interruption: AbortSignal;
  readonly onLine: (line: string) => void;
  readonly onProbeBegin: (begin: ProbeBegin) => void;
  readonly onSnapshot: (snapshot: LiveSnapshot) => void;
  readonly onProbe: (probe: CapacityProbe) => void;
}

export interface ProbeBegin {
  readonly number: number;
  readonly level: number;
  readonly purpose: CapacityProbe["purpose"];
}

export interface SearchOutcome {
  readonly probes: readonly CapacityProbe[];
  readonly findings: Findings;
  readonly ended: CapacityEnding;
  /** Only where the search failed. */
  readonly failure?: string;
  readonly environment: ResultEnvironment | undefined;
  readonly lastPlan: LoadPlan;
}

type ProbeEnd =
  { readonly kind: "done"; readonly run: ProbeRun } | { readonly kind: "over"; readonly why: CapacityEnding };

/** A search on a backend: calibration, probes by the policy, and one at half of the answer. */
export class CapacitySearch {
  readonly #probes: CapacityProbe[] = [];
  readonly #startedMs = performance.now();
  readonly #failed = new AbortController();
  readonly #stop: AbortSignal;
  #failure: string | undefined;
  /** Of `maxActions`. */
  #spent = 0;
  #last: ProbeRun | undefined;
  #lastPlan: LoadPlan;

  constructor(readonly options: CapacitySearchOptions) {
    this.#stop = AbortSignal.any([options.interruption, this.#failed.signal]);
    this.#lastPlan = options.plan;
  }

  async run(): Promise<SearchOutcome> {
    const { plan, load, precision, interruption } = this.options;
    const workers = await startSearchWorkers({
      ...this.options,
      signal: this.#stop,
      onGivenUp: (why) => this.#fail(why),
    });
    try {
      const from = this.options.from ?? (await (load === "closed" ? this.#calibrateClosed() : this.#calibrate()));
      const first = typeof from === "number" ? from : 1;
      const limits = limitsOf(load, plan);
      // Below the first level that was calibrated, closed load has too few samples.
      const least = load === "closed" && this.options.from === undefined ? first : limits.least;
      const bounds = { ...limits, from: first, precision, least };
      const ended = typeof from === "number" ? await this.#search(bounds) : from;
      const findings = findingsOf(bounds, this.#levels);
      if (ended === "found" || ended === "wide") await this.#probeHalf(findings);
      return {
        probes: this.#probes,
        findings,
        ended: interruption.aborted ? "interrupted" : ended,
        ...(this.#failure !== undefined && { failure: this.#failure }),
        environment: this.#last?.result.environment,
        lastPlan: this.#lastPlan,
      };
    } finally {
      await workers?.stop();
    }
  }

  get #levels(): readonly ProbedLevel[] {
    return this.#probes.filter(({ purpose }) => purpose !== "calibrate" && purpose !== "half");
  }

  async #search(bounds: SearchBounds): Promise<CapacityEnding> {
    for (;;) {
      const step = nextStep(bounds, this.#levels);
      if (step.kind === "done") return endingOf(findingsOf(bounds, this.#levels));
      const end = await this.#probe(step.level, step.purpose, step.resolution);
      if (end.kind === "over") return end.why;
    }
  }

  /** The rate of starts to begin with, or why there is none. */
  async #calibrate(): Promise<number | CapacityEnding> {
    let best = 0;
    for (const inFlight of CALIBRATION_STEPS) {
      const perSecond = await this.#calibration(inFlight);
      if (typeof perSecond === "string" && best === 0) return perSecond;
      if (typeof perSecond === "string" || perSecond < CALIBRATION_GAIN * best) break;
      best = perSecond;
    }
    return Number((best * CALIBRATED_SHARE).toPrecision(3));
  }

  /** The lowest number in flight that can be judged, or why it is not known. */
  async #calibrateClosed(): Promise<number | CapacityEnding> {
    const perSecond = await this.#calibration(1);
    return typeof perSecond === "number" ? leastClosedLevel(this.options.objectives, perSecond) : perSecond;
  }

  /** The orchestrations a second with so many in flight, or what ended the search. */
  async #calibration(inFlight: number): Promise<number | CapacityEnding> {
    const { plan } = this.options;
    const load = { kind: "closed", durationMs: CALIBRATION_MS } as const;
    const calibrating = { ...plan, workers: 0, traceShare: 0, parallelOrchestrations: inFlight, load };
    const end = await this.#run(calibrating, { level: inFlight, purpose: "calibrate" });
    if (end.kind === "over") return end.why;
    const { result, completedPerSecond = 0 } = end.run;
    // Orchestrations that take longer than the calibration: by Little's law.
    const meanMs = result.latencyMs.service?.mean;
    const perSecond = completedPerSecond || (meanMs === undefined ? 0 : (inFlight * 1_000) / meanMs);
    if (perSecond > 0) return perSecond;
    this.#fail(end.run.reason ?? "no orchestration of the calibration completed");
    return "failed";
  }

  /** The latency at half of the answer, unless a probe was there already. */
  async #probeHalf({ held }: Findings): Promise<void> {
    if (held === undefined) return;
    const half = this.options.load === "closed" ? Math.max(1, Math.round(held / 2)) : Number((held / 2).toPrecision(4));
    const isNear = ({ level, outcome }: ProbedLevel) => outcome === "held" && Math.abs(level / half - 1) <= NEAR_HALF;
    if (!this.#levels.some(isNear)) await this.#probe(half, "half", 1);
  }

  async #probe(level: number, purpose: CapacityProbe["purpose"], resolution: number): Promise<ProbeEnd> {
    const { plan, objectives, load, warmupMs } = this.options;
    const planned = probePlan({
      plan,
      objectives,
      load,
      level,
      resolution,
      typicalMs: this.#last && latencyOf(load, this.#last)?.mean,
      perSecond: this.#expectedPerSecond(level),
      number: this.#probes.length,
      warmupMs,
    });
    return this.#run(planned, { level, purpose });
  }

  /** By the probe before. A higher level may complete no more, and a lower one completes less. */
  #expectedPerSecond(level: number): number | undefined {
    const before = this.#probes.at(-1);
    // Nothing completes within a calibration that is shorter than an orchestration.
    const perSecond = this.#last?.completedPerSecond || undefined;
    if (before === undefined || perSecond === undefined || this.options.load === "open") return undefined;
    const ratio = level / before.level;
    return perSecond * (before.purpose === "calibrate" ? ratio : Math.min(1, ratio));
  }

  async #run(asked: LoadPlan, what: Omit<ProbeBegin, "number">): Promise<ProbeEnd> {
    const { maxTimeMs, searchId, objectives, load } = this.options;
    const over = (why: CapacityEnding): ProbeEnd => ({ kind: "over", why: this.#cutShort(why) });
    if (this.#stop.aborted) return over("interrupted");
    if (performance.now() - this.#startedMs + (lengthOf(asked) ?? 0) > maxTimeMs) return over("time");
    const plan = this.#withinActions(asked);
    if (!plan) return over("actions");

    const number = this.#probes.length + 1;
    this.options.onProbeBegin({ number, ...what });
    this.#lastPlan = plan;
    const isCalibration = what.purpose === "calibrate";
    const runId = repeatedRunId(searchId, number);
    const run = await runProbe({
      ...this.options,
      plan,
      runId,
      objectives: isCalibration ? undefined : objectives,
      interruption: this.#stop,
    }).catch((error: unknown) => {
      // What is known so far is worth telling when the backend has gone.
      if (!(error instanceof FanoutError)) throw error;
      this.#fail(error.message);
    });
    if (!run) return over("interrupted");
    this.#spent += run.result.counts.orchestrations.started * priceOf(costOf(plan));
    this.#last = run;
    const probe = { number, runId, ...what, ...probeFacts(isCalibration ? "closed" : load, run) };
    this.#probes.push(probe);
    this.options.onProbe(probe);
    return { kind: "done", run };
  }

  /** The plan with what is left of the allowed actions; undefined if that does not suffice. */
  #withinActions(plan: LoadPlan): LoadPlan | undefined {
    const { maxActions } = this.options;
    if (maxActions === undefined) return plan;
    const cost = plannedCostOf(plan);
    const left = Math.floor((maxActions - this.#spent) / priceOf(cost));
    if (plan.load.kind !== "closed") return (cost.mostStarts ?? 0) <= left ? plan : undefined;
    return left < (plan.parallelOrchestrations ?? 1) ? undefined : { ...plan, load: { ...plan.load, total: left } };
  }

  #fail(reason: string): void {
    this.#failure ??= reason;
    this.#failed.abort();
  }

  #cutShort(why: CapacityEnding): CapacityEnding {
    return this.#failure === undefined ? why : "failed";
  }
}

/** What a start takes of `maxActions`: its actions. Where they are unknown, the starts themselves are bounded. */
function priceOf({ each }: PlanCost): number {
  return each === undefined ? 1 : each.mostActions;
}

/** Rates below cannot be judged within a search, rates above cannot be sent. */
function limitsOf(load: "open" | "closed", { load: shape }: LoadPlan): Omit<SearchBounds, "from" | "precision"> {
  if (load === "closed") return { least: 1, most: shape.kind === "open" ? shape.maxInFlight : 10_000, whole: true };
  return { least: 0.01, most: 100_000, whole: false };
}

function endingOf({ held, missed, generatorLimit, narrow, confirmed }: Findings): CapacityEnding {
  if (generatorLimit !== undefined) return "generator";
  if (missed === undefined) return "never-missed";
  if (held === undefined) return "never-held";
  return narrow && confirmed ? "found" : "wide";
}

function latencyOf(load: "open" | "closed", { result: { latencyMs } }: ProbeRun) {
  return load === "open" ? latencyMs.response : latencyMs.service;
}

function probeFacts(
  load: "open" | "closed",
  run: ProbeRun,
): Omit<CapacityProbe, "number" | "runId" | "purpose" | "level"> {
  const { result, outcome, reason, early, loadMs, left, completedPerSecond, objectives } = run;
  const { started, completed, failed, terminated, unfinished } = result.counts.orchestrations;
  const latency = latencyOf(load, run);
  return {
    outcome,
    ...(reason !== undefined && { reason }),
    early,
    loadMs,
    started,
    completed,
    failed: failed + terminated,
    unfinished,
    left,
    ...(completedPerSecond !== undefined && { completedPerSecond }),
    ...(latency && { latencyMs: withoutCount(latency) }),
    objectives,
    ...(result.verdict && { verdict: result.verdict.status }),
  };
}

function withoutCount({ mean, p50, p90, p95, p99, p999, max }: NonNullable<ReturnType<typeof latencyOf>>) {
  return {
    mean,
    ...(p50 !== undefined && { p50 }),
    ...(p90 !== undefined && { p90 }),
    ...(p95 !== undefined && { p95 }),
    ...(p99 !== undefined && { p99 }),
    ...(p999 !== undefined && { p999 }),
    max,
  };
}
