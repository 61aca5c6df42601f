import { levelText } from "../result/capacity-level.js";
import { resultPlanOf } from "../plan/plan.js";
import { capacityUnitsOf, mostActionsPerSecond, type Capacity } from "../plan/spend-guard.js";
import type { CapacityEnding, CapacityProbe, CapacityResult } from "../result/capacity-schema.js";
import { actionsOf, activitiesOf } from "../result/run-size.js";
import type { CapacitySearchOptions, SearchOutcome } from "./capacity-search.js";
import { scalabilityOf } from "./scalability.js";

/** A closer probe counts as one at half of the answer. */
const NEAR_HALF = 0.1;
const NOT_JUDGED = / not judged, /u;
const LEAST_KNEE_LEVELS = 3;

export interface AnswerOptions extends Pick<CapacitySearchOptions, "searchId" | "load" | "objectives" | "precision"> {
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly capacity: Capacity | undefined;
  /** What a gate has to reach. */
  readonly atLeast: number | undefined;
}

/** The answer of a search, also of one that was cut short. Pure. */
export function capacityResultOf(outcome: SearchOutcome, options: AnswerOptions): CapacityResult {
  const { probes, findings, ended, environment, lastPlan } = outcome;
  const { held } = findings;
  const levels = probes.filter(({ purpose }) => purpose !== "calibrate");
  const atHeld = held === undefined ? undefined : levels.findLast((probe) => isHeldAt(probe, held, 0));
  const atHalf = held === undefined ? undefined : levels.findLast((probe) => isHeldAt(probe, held / 2, NEAR_HALF));
  const knee = kneeOf(levels, options.load);
  const scalability = options.load === "closed" ? scalabilityOf(throughputs(levels)) : undefined;
  return {
    schemaVersion: 1,
    searchId: options.searchId,
    startedAt: options.startedAt.toISOString(),
    durationMs: options.durationMs,
    load: options.load,
    objectives: options.objectives.map(({ expression }) => expression),
    precision: options.precision,
    plan: resultPlanOf(lastPlan),
    ...(environment && { environment }),
    ended,
    why: whyOf(outcome, options),
    ...(held !== undefined && { held }),
    ...(findings.missed !== undefined && { missed: findings.missed }),
    ...(findings.generatorLimit !== undefined && { generatorLimit: findings.generatorLimit }),
    confirmed: findings.confirmed,
    disagreements: findings.disagreements,
    ...(atHeld && { atHeld: ratesOf(atHeld, lastPlan, options) }),
    ...(atHeld?.latencyMs && { latencyAtHeldMs: atHeld.latencyMs }),
    ...(atHalf?.latencyMs && { latencyAtHalfMs: atHalf.latencyMs }),
    ...(knee !== undefined && { knee }),
    ...(scalability && { scalability }),
    ...(options.atLeast !== undefined && {
      atLeast: { level: options.atLeast, passed: held !== undefined && held >= options.atLeast },
    }),
    left: probes.filter(({ left }) => left > 0).map(({ runId }) => runId),
    probes,
  };
}

function isHeldAt({ level, outcome }: CapacityProbe, wanted: number, tolerance: number): boolean {
  return outcome === "held" && Math.abs(level / wanted - 1) <= tolerance;
}

function ratesOf(
  { level, completedPerSecond = level }: CapacityProbe,
  plan: SearchOutcome["lastPlan"],
  { load, capacity }: AnswerOptions,
): NonNullable<CapacityResult["atHeld"]> {
  // In open load all that was offered has completed.
  const perSecond = load === "open" ? level : completedPerSecond;
  const [activities, actions] = [activitiesOf(plan), actionsOf(plan)];
  if (activities === undefined || actions === undefined) return { orchestrationsPerSecond: perSecond };
  const actionsPerSecond = perSecond * actions;
  return {
    orchestrationsPerSecond: perSecond,
    activitiesPerSecond: perSecond * activities,
    actionsPerSecond,
    capacityUnits: capacityUnitsOf(actionsPerSecond),
    ...(capacity !== undefined && { shareOfCapacity: actionsPerSecond / mostActionsPerSecond(capacity) }),
  };
}

/**
 * The level with the largest power: throughput over mean latency. L. Kleinrock, Power and deterministic rules of thumb for
 * probabilistic problems in computer communications, ICC 1979. Undefined with fewer than three levels.
 */
function kneeOf(probes: readonly CapacityProbe[], load: "open" | "closed"): number | undefined {
  const held = probes.filter(({ outcome, latencyMs }) => outcome === "held" && latencyMs !== undefined);
  if (new Set(held.map(({ level }) => level)).size < LEAST_KNEE_LEVELS) return undefined;
  const power = ({ level, completedPerSecond = 0, latencyMs }: CapacityProbe): number =>
    (load === "open" ? level : completedPerSecond) / latencyMs!.mean;
  return held.reduce((best, probe) => (power(probe) > power(best) ? probe : best)).level;
}

function throughputs(probes: readonly CapacityProbe[]) {
  return probes.flatMap(({ level, completedPerSecond, outcome }) =>
    outcome === "invalid" || completedPerSecond === undefined ? [] : [{ level, perSecond: completedPerSecond }],
  );
}

/** What `--max-actions` bounds: of somebody's own orchestration the starts. */
function spentText({ orchestrator }: SearchOutcome["lastPlan"]): string {
  if (orchestrator === undefined) return "the actions were spent (--max-actions)";
  return `the starts were spent (--max-actions bounds the starts, as the actions of ${orchestrator} are unknown)`;
}

function whyOf(outcome: SearchOutcome, options: AnswerOptions): string {
  const { ended, findings, failure, probes } = outcome;
  const level = (value: number | undefined): string => levelText(value ?? 0, options.load);
  const last = probes.findLast(({ outcome }) => outcome !== "held")?.reason ?? "no reason known";
  const texts: Readonly<Record<CapacityEnding, () => string>> = {
    found: () => "three probes agree at each end of the interval",
    wide: () =>
      "the probes do not agree well enough to narrow the interval: the capacity changed during the search, or the " +
      "latency there is mostly chance; look for other load on the backend, or search again",
    generator: () =>
      NOT_JUDGED.test(last)
        ? `the probes at ${level(findings.generatorLimit)} could not be judged: ${last}`
        : `the generator is the limit: at ${level(findings.generatorLimit)} ${last}; run fanout on a machine with more free ` +
          "cores, or use several generators",
    "never-missed": () => "the highest level that fanout offers held",
    "never-held": () => `no level held, down to ${level(findings.missed)}: ${last}`,
    time: () => "the time was over (--max-time): give it more, or an objective that needs fewer samples, such as a p90",
    actions: () => spentText(outcome.lastPlan),
    interrupted: () => "it was interrupted",
    failed: () => failure ?? "the search failed",
  };
  return texts[ended]();
}
