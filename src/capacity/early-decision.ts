import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import type { LatencySummary, RunResult } from "../result/run-result.js";
import { isMissedForGood, judge, type Threshold } from "../stats/threshold.js";
import { quantileOf, startsToJudge } from "./probe-length.js";

/** The counts of a probe at one moment, in milliseconds from its begin. */
export interface ProbeMoment {
  readonly atMs: number;
  /** Sent so far, and ended so far. */
  readonly started: number;
  readonly ended: number;
}

export interface EarlyDecisionOptions {
  readonly objectives: readonly Threshold[];
  readonly warmupMs: number;
  readonly lengthMs: number;
  /** The starts of the measured time, if the load decides them. */
  readonly measuredStarts: number | undefined;
}

export type Decision =
  | { readonly kind: "missed"; readonly reason: string }
  /** The rest of the probe would not change what its figures say. */
  | { readonly kind: "held" };

/** A latency that is noticed late, or whose start was late, looks longer by up to this much. */
export const NOTICING_MS = 500;
const NOTICING_SHARE = 1.5;
/** A probe whose longest latency is below this share of its bound, after half of its time, is over. */
const CLEAR_SHARE = 0.5;
const LEAST_HELD_MS = 5_000;
const SIGMAS = 3;
const LATENCY = /^latencyMs\.(?<name>response|service)\./u;
const MAXIMUM = /^latencyMs\.\w+\.max$/u;
const QUANTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p999: 0.999 } as const;

/** Decides whether a probe in progress may end, because it is decided either way. Pure; told of moments in their order. */
export class EarlyDecision {
  readonly #moments: ProbeMoment[] = [];

  constructor(readonly options: EarlyDecisionOptions) {}

  add(moment: ProbeMoment, soFar: RunResult | undefined): Decision | undefined {
    this.#moments.push(moment);
    if (!soFar || moment.atMs <= this.options.warmupMs) return undefined;
    for (const objective of this.options.objectives) {
      const reason = this.#missed(objective, moment, soFar);
      if (reason !== undefined) return { kind: "missed", reason };
    }
    return this.#isClear(moment, soFar) ? { kind: "held" } : undefined;
  }

  #missed(objective: Threshold, moment: ProbeMoment, soFar: RunResult): string | undefined {
    const { measuredStarts } = this.options;
    const quantile = MAXIMUM.test(objective.figure.path ?? "") ? 1 : quantileOf(objective);
    if (quantile === undefined)
      return isMissedForGood(objective, soFar) ? `${objective.expression} can no longer hold` : undefined;

    const { name } = LATENCY.exec(objective.figure.path ?? "")?.groups ?? {};
    if (name === undefined || measuredStarts === undefined || !objective.operator.startsWith("<")) return undefined;
    const latestMs = NOTICING_SHARE * objective.bound + NOTICING_MS;
    const slow = this.#waitingLonger(moment, latestMs) + slowerThan(latestMs, soFar.latencyMs[name as "response"]);
    const allowed = (1 - quantile) * measuredStarts;
    if (slow <= allowed) return undefined;
    return `${formatCount(slow)} took longer than ${formatDuration(latestMs)}, more than ${objective.expression} allows`;
  }

  /** The starts of the measured time that are in flight for longer than this, at least: the others may have ended first. */
  #waitingLonger({ atMs, ended }: ProbeMoment, ms: number): number {
    const { warmupMs } = this.options;
    const before = this.#moments.findLast((moment) => moment.atMs <= atMs - ms);
    const warm = this.#moments.findLast((moment) => moment.atMs <= warmupMs);
    return Math.max(0, (before?.started ?? 0) - Math.max(ended, warm?.started ?? 0));
  }

  #isClear(moment: ProbeMoment, soFar: RunResult): boolean {
    const { objectives, warmupMs, lengthMs } = this.options;
    const measuredMs = moment.atMs - warmupMs;
    if (measuredMs < Math.max(LEAST_HELD_MS, lengthMs / 2)) return false;
    const { failed, terminated } = soFar.counts.orchestrations;
    const samples = soFar.latencyMs.service?.count ?? 0;
    if (failed + terminated > 0 || samples < startsToJudge(objectives)) return false;
    return objectives.every((objective) => isFarBelow(objective, soFar)) && !this.#isGrowing(moment);
  }

  /** Whether more is in flight than in the middle of the measured time, by more than random arrivals explain. */
  #isGrowing({ atMs, started, ended }: ProbeMoment): boolean {
    const middleMs = (this.options.warmupMs + atMs) / 2;
    const middle = this.#moments.findLast((moment) => moment.atMs <= middleMs);
    if (!middle) return true;
    const grown = started - ended - (middle.started - middle.ended);
    return grown > SIGMAS * Math.sqrt(2 * (started - middle.started));
  }
}

/** At least so many of the sample took longer. */
function slowerThan(ms: number, summary: Partial<LatencySummary> | undefined): number {
  const shares = Object.entries(QUANTILES).map(([name, quantile]) =>
    (summary?.[name as keyof typeof QUANTILES] ?? 0) > ms ? 1 - quantile : 0,
  );
  return Math.floor(Math.max(...shares) * (summary?.count ?? 0));
}

function isFarBelow(objective: Threshold, soFar: RunResult): boolean {
  const { figure, operator, bound } = objective;
  if (!judge(objective, soFar).passed) return false;
  const { name } = LATENCY.exec(figure.path ?? "")?.groups ?? {};
  if (name === undefined) return figure.kind !== "duration";
  const max = soFar.latencyMs[name as "response"]?.max ?? Number.POSITIVE_INFINITY;
  return operator.startsWith("<") && max < CLEAR_SHARE * bound;
}
