import { figureOf, type Figure } from "../result/figure.js";
import { plannedStarts, type LoadShape } from "../result/load-shape.js";
import type { ResultPlan, RunResult } from "../result/run-result.js";

/** What goes up and down as a run goes on is not judged before. */
const SETTLED_MS = 10_000;
/** A test of 0.1 % a side, for it is asked again and again. https://en.wikipedia.org/wiki/Standard_score */
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

/** Whether a figure that has to stay below `bound` has passed it, and more time cannot be expected to bring it back. */
export function isAboveForGood(figure: Figure, bound: number, result: RunResult): boolean {
  if (figure === figureOf("errors")) return isBeyondErrors(bound, result);
  if (figure === figureOf("rpcErrors") || GROWING.test(figure.path ?? "")) return true;
  return PERCENTILE.test(figure.path ?? "") && measuredMs(result) >= SETTLED_MS;
}

/** Whether a figure that has to reach `bound` falls so short of it that more time cannot be expected to mend it. */
export function isBelowForGood(figure: Figure, bound: number, result: RunResult): boolean {
  const value = figure.read(result);
  if (figure.kind !== "rate" || value === undefined || measuredMs(result) < SETTLED_MS) return false;
  return bestRate(value, result) < bound;
}

/**
 * Either no number of good ones that are left brings the share back, or the sample is one that the bound takes, by the
 * rule of three, and shows it: a backend that was not there at first is no reason to end a long run.
 */
function isBeyondErrors(bound: number, result: RunResult): boolean {
  const { started, failed, terminated } = result.counts.orchestrations;
  if (failed + terminated > bound * mostStarts(result.plan)) return true;
  return started >= 3 / bound && leastErrors(result) > bound;
}

/** Infinite where time alone bounds them; random arrivals may be any number. */
function mostStarts(plan: ResultPlan): number {
  const isRandom = plan.load?.kind === "open" && plan.load.arrival === "poisson";
  return (isRandom ? undefined : plannedStarts(plan)) ?? Number.POSITIVE_INFINITY;
}

/**
 * The share of errors that is the least to be expected of all orchestrations, after those that were started: the lower
 * end of Wilson's interval, with those in flight counted as good.
 * https://en.wikipedia.org/wiki/Binomial_proportion_confidence_interval#Wilson_score_interval
 */
function leastErrors({ counts }: RunResult): number {
  const { started: n, failed, terminated } = counts.orchestrations;
  const share = (failed + terminated) / n;
  const z2 = STRICT_Z ** 2;
  const spread = STRICT_Z * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n ** 2));
  return (share + z2 / (2 * n) - spread) / (1 + z2 / n);
}

/** The most that can be expected of a rate that is `value` so far. */
function bestRate(value: number, result: RunResult): number {
  const { plan, throughput, latencyMs } = result;
  if (throughput?.windowMs === undefined) return rateOfAll(value, result);
  if (!isSteady(plan.load)) return Number.POSITIVE_INFINITY;
  // What was started last has not had the time to complete, which is not held against it.
  const fullMs = throughput.windowMs - (latencyMs.service?.mean ?? 0);
  return fullMs > 0 ? (value * throughput.windowMs) / fullMs : Number.POSITIVE_INFINITY;
}

/** What the rate would be if all that is left completed now. */
function rateOfAll(value: number, result: RunResult): number {
  const ofEach = value / (result.throughput?.orchestrationsPerSecond ?? 0);
  return (ofEach * mostStarts(result.plan) * 1_000) / measuredMs(result);
}

/** Whether the load is the same all the time; a rate that grows may mend what was too low. */
function isSteady(load: LoadShape | undefined): boolean {
  if (load?.kind !== "open") return true;
  const rates = load.stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]);
  return new Set(rates).size === 1;
}

function measuredMs({ durationMs, plan }: RunResult): number {
  return durationMs - (plan.warmupMs ?? 0);
}
