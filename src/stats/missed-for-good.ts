import { figureOf, type Figure } from "../result/figure.js";
import { plannedStarts, type LoadShape } from "../result/load-shape.js";
import type { ResultPlan, RunResult } from "../result/run-result.js";

/** Figures that fluctuate during a run are not judged earlier. */
const SETTLED_MS = 10_000;
/** A test at 0.1 % on each side, because it is repeated many times. https://en.wikipedia.org/wiki/Standard_score */
const STRICT_Z = 3;

/** Figures that only grow. */
const GROWING = new RegExp(
  [
    "^durationMs$",
    "^throughput\\.makespanMs$",
    "^latencyMs\\.\\w+\\.(?:count|max)$",
    "^counts\\.(?:warmup|actions|actionsAtLeast)$",
    "^counts\\.orchestrations\\.(?:started|completed|failed|terminated)$",
    "^counts\\.activities\\.(?:completed|reExecuted)$",
    "^counts\\.rpcErrors\\.\\w+$",
    "^failures\\.total$",
    "^generator\\.(?:heldBack|clockJumpMs)$",
  ].join("|"),
  "u",
);
const PERCENTILE = /^latencyMs\.\w+\.p\d+$/u;

/** Whether a figure has exceeded its upper bound, and more time is not expected to bring it back. */
export function isAboveForGood(figure: Figure, bound: number, result: RunResult): boolean {
  if (figure === figureOf("errors")) return isBeyondErrors(bound, result);
  if (figure === figureOf("rpcErrors") || GROWING.test(figure.path ?? "")) return true;
  return PERCENTILE.test(figure.path ?? "") && measuredMs(result) >= SETTLED_MS;
}

/** Whether a figure falls so far short of its lower bound that more time is not expected to repair it. */
export function isBelowForGood(figure: Figure, bound: number, result: RunResult): boolean {
  const value = figure.read(result);
  if (figure.kind !== "rate" || value === undefined || measuredMs(result) < SETTLED_MS) return false;
  return bestRate(value, result) < bound;
}

/**
 * Either the remaining orchestrations cannot bring the share back even if all of them succeed, or the sample is large
 * enough for the bound by the rule of three and exceeds it. A backend that was away at first is no reason to end a long
 * run.
 */
function isBeyondErrors(bound: number, result: RunResult): boolean {
  const { started, failed, terminated } = result.counts.orchestrations;
  if (failed + terminated > bound * mostStarts(result.plan)) return true;
  return started >= 3 / bound && leastErrors(result) > bound;
}

/** Infinite if only time bounds the load. The number of random arrivals is not bounded either. */
function mostStarts(plan: ResultPlan): number {
  const isRandom = plan.load?.kind === "open" && plan.load.arrival === "poisson";
  return (isRandom ? undefined : plannedStarts(plan)) ?? Number.POSITIVE_INFINITY;
}

/**
 * The least share of errors to expect of all orchestrations, from those that were started: the lower end of Wilson's
 * interval, with those in flight counted as successful.
 * https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
 */
function leastErrors({ counts }: RunResult): number {
  const { started: n, failed, terminated } = counts.orchestrations;
  const share = (failed + terminated) / n;
  const z2 = STRICT_Z ** 2;
  const spread = STRICT_Z * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n ** 2));
  return (share + z2 / (2 * n) - spread) / (1 + z2 / n);
}

/** The highest value to expect of a rate that is `value` so far. */
function bestRate(value: number, result: RunResult): number {
  const { plan, throughput, latencyMs } = result;
  if (throughput?.windowMs === undefined) return rateOfAll(value, result);
  if (!isSteady(plan.load)) return Number.POSITIVE_INFINITY;
  // The latest starts had no time to complete, which does not count against the rate.
  const fullMs = throughput.windowMs - (latencyMs.service?.mean ?? 0);
  return fullMs > 0 ? (value * throughput.windowMs) / fullMs : Number.POSITIVE_INFINITY;
}

/** The rate if all remaining work completed now. */
function rateOfAll(value: number, result: RunResult): number {
  const ofEach = value / (result.throughput?.orchestrationsPerSecond ?? 0);
  return (ofEach * mostStarts(result.plan) * 1_000) / measuredMs(result);
}

/** Whether the load is constant. A growing rate may still repair a value that was too low. */
function isSteady(load: LoadShape | undefined): boolean {
  if (load?.kind !== "open") return true;
  const rates = load.stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]);
  return new Set(rates).size === 1;
}

function measuredMs({ durationMs, plan }: RunResult): number {
  return durationMs - (plan.warmupMs ?? 0);
}
