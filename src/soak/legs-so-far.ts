import { hostname } from "node:os";
import { UsageError } from "../errors.js";
import { formatDuration } from "../format/duration.js";
import type { LoadPlan } from "../plan/plan.js";
import { mostArrivals, plannedCostOf } from "../plan/planned-cost.js";
import { costOf, type PlanCost } from "../result/plan-cost.js";
import type { Soak, SoakInterval, SoakLeg } from "../result/soak-schema.js";

/** A process that lives writes a checkpoint within so many intervals. */
const SILENT_INTERVALS = 3;

/** The legs of a soak before the next one. */
export interface LegsSoFar {
  /** None of them is running. */
  readonly legs: readonly SoakLeg[];
  /** How long starts are still to be sent, without a warm-up. */
  readonly leftMs: number;
}

/**
 * The legs of a soak that this process has locked, with the last checkpoint of each. A leg that was running was killed.
 * @throws UsageError if it may run on another host, where a lock on a shared disk may not hold
 */
export function legsSoFar(
  soak: Soak,
  last: ReadonlyMap<number, SoakInterval>,
  { warmupMs = 0 }: Pick<LoadPlan, "warmupMs">,
): LegsSoFar {
  const legs: SoakLeg[] = [];
  let leftMs = soak.durationMs;
  for (const leg of soak.legs) {
    const ended = leg.ended === "running" ? killed(leg, last.get(leg.number), { soak, warmupMs, leftMs }) : leg;
    legs.push(ended);
    leftMs -= ended.loadMs;
  }
  return { legs, leftMs };
}

interface KilledLeg {
  readonly soak: Soak;
  readonly warmupMs: number;
  readonly leftMs: number;
}

function killed(leg: SoakLeg, last: SoakInterval | undefined, { soak, warmupMs, leftMs }: KilledLeg): SoakLeg {
  const silentMs = Date.now() - Date.parse(last?.endedAt ?? leg.startedAt);
  if (leg.generator.host !== hostname() && silentMs < SILENT_INTERVALS * soak.everyMs)
    throw soakRunning(soak, `its last checkpoint is ${formatDuration(silentMs)} old`);

  const loadMs = Math.min(leftMs, Math.max(0, (last?.elapsedMs ?? 0) - warmupMs));
  return { ...leg, ended: "killed", loadMs, started: last?.started ?? 0 };
}

/** Why a soak must not go on in this process. */
export function soakRunning({ legs }: Soak, hint?: string): UsageError {
  const leg = legs.findLast(({ ended }) => ended === "running");
  const who = leg === undefined ? "another process" : `process ${leg.generator.pid} on ${leg.generator.host}`;
  return new UsageError("soak-running", `--resume: ${who} still makes the load of this soak`, { hint });
}

/** What a soak costs with the legs before, and a last leg that makes the rest of its load after a warm-up. */
export function costWithLegs(plan: LoadPlan, { everyMs, ratePerSecond }: Soak, { legs, leftMs }: LegsSoFar): PlanCost {
  const rest = leftMs > 0 ? plannedCostOf(withLength(plan, leftMs)) : undefined;
  let [starts, mostStarts] = [rest?.starts ?? 0, rest?.mostStarts ?? 0];
  for (const leg of legs) {
    const isCounted = leg.account !== undefined && "instances" in leg.account;
    const counted = leg.started + (isCounted ? leg.account.afterCheckpoint : 0);
    const isOpen = leg.ended === "killed" && !isCounted;
    starts += counted;
    // It was killed before the checkpoint of an interval.
    mostStarts += counted + (isOpen ? mostArrivals((ratePerSecond * everyMs) / 1_000) : 0);
  }
  return { ...costOf(plan), starts, mostStarts };
}

/** The same load over another time. */
export function withLength(plan: LoadPlan, lengthMs: number): LoadPlan {
  if (plan.load.kind !== "open") throw new Error("Expected a soak with open load.");
  return { ...plan, load: { ...plan.load, stages: plan.load.stages.map((stage) => ({ ...stage, lengthMs })) } };
}
