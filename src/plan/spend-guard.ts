import { z } from "zod";
import { UsageError } from "../errors.js";
import { formatCount, parseCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { costOf, type PlanCost } from "../result/plan-cost.js";
import { count, readFlags } from "./flag-values.js";
import type { LoadPlan } from "./plan.js";

/** Actions that a run may cost, without a flag, on a backend that bills them. */
const UNASKED_ACTIONS = 100_000;
/**
 * The capacity of a scheduler by its billing plan.
 * https://learn.microsoft.com/azure/azure-functions/durable/durable-task-scheduler/durable-task-scheduler-billing
 */
const DEDICATED = { actionsPerSecondOfUnit: 2_000, gigabytesOfUnit: 50, mostUnits: 3 };
const CONSUMPTION = { actionsPerSecond: 500 };
const CAPACITY_EXPECTED =
  "1, 2 or 3 units of a Dedicated scheduler (2,000 actions/s and 50 GB each), or consumption (500 actions/s)";

const spendFlags = z.object({
  maxActions: count("--max-actions", 1, Number.MAX_SAFE_INTEGER).optional(),
  capacityUnits: z.string().transform(capacity).optional(),
});

export interface SpendLimits {
  /** The largest number of actions that the run may cost, or of starts if the actions of each are unknown. */
  readonly maxActions?: number | undefined;
  /** The capacity of the scheduler. */
  readonly capacityUnits?: Capacity | undefined;
}

/** Units of a Dedicated scheduler, or the Consumption plan. */
export type Capacity = number | "consumption";

/** The number of capacity units that carry this many actions a second. */
export function capacityUnitsOf(actionsPerSecond: number): number {
  return actionsPerSecond / DEDICATED.actionsPerSecondOfUnit;
}

/** The actions that a scheduler does in a second at most. */
export function mostActionsPerSecond(capacity: Capacity): number {
  return capacity === "consumption" ? CONSUMPTION.actionsPerSecond : capacity * DEDICATED.actionsPerSecondOfUnit;
}

/** @throws UsageError that names the flag, what was expected and what was found */
export function parseSpendLimits(flags: unknown): SpendLimits {
  return readFlags(spendFlags, flags);
}

/**
 * The plan, limited by its number of starts if only time bounds its cost. Each of `repeat` runs ends when its share is
 * spent.
 */
export function withinSpend(plan: LoadPlan, { maxActions }: SpendLimits, repeat: number): LoadPlan {
  const { mostStarts, each } = costOf(plan);
  if (maxActions === undefined || plan.load.kind !== "closed" || mostStarts !== undefined) return plan;
  const total = Math.floor(maxActions / repeat / (each?.mostActions ?? 1));
  return total < 1 ? plan : { ...plan, load: { ...plan.load, total } };
}

/** Who pays for actions: nobody on the emulator. `billed` is any backend that may not be the emulator. */
export type Billing = "emulator" | "billed";

/** What spends, as its user calls it. */
type Spender = "run" | "soak";

/**
 * What bounds the cost of runs: their actions; or their starts, if the actions of each are unknown, as those of
 * somebody's own orchestration; or only time.
 */
export type SpendBound =
  | { readonly kind: "actions"; readonly most: number }
  | { readonly kind: "starts"; readonly most: number }
  | { readonly kind: "time" };

export function spendBoundOf({ mostStarts, each }: PlanCost, repeat: number): SpendBound {
  if (mostStarts === undefined) return { kind: "time" };
  const starts = mostStarts * repeat;
  return each === undefined ? { kind: "starts", most: starts } : { kind: "actions", most: starts * each.mostActions };
}

/** `this run costs 101 actions` */
export function spendText(cost: PlanCost, bound: SpendBound, what: Spender = "run"): string {
  if (bound.kind === "time") return `only time bounds the actions of this ${what}`;
  if (bound.kind === "starts") return `this ${what} may start ${plural(bound.most, "orchestration")} of unknown cost`;
  const mayRetry = cost.each !== undefined && cost.each.mostActions > cost.each.actions;
  const isBound = cost.starts !== undefined && cost.mostStarts !== cost.starts;
  const costs = mayRetry ? "may cost, with all its retries," : isBound ? "may cost" : "costs";
  return `this ${what} ${costs} ${formatCount(bound.most)} actions`;
}

/**
 * Why `repeat` runs of this cost must not start, with the flag that allows them; undefined if they may. On a backend
 * that may bill them, runs that only time bounds need a flag, and so do more than 100,000 actions, or 100,000 starts of
 * unknown cost. A limit that was set holds on every backend.
 */
export function spendObjection(
  cost: PlanCost,
  { maxActions }: SpendLimits,
  repeat: number,
  billing: Billing,
  what?: Spender,
): UsageError | undefined {
  const bound = spendBoundOf(cost, repeat);
  const found = spendText(cost, bound, what);
  const billed = "a backend other than the emulator may bill them";
  const dryRun = "--dry-run prints the plan and starts nothing";
  if (bound.kind === "time") {
    if (maxActions !== undefined) return refused("--max-actions: one orchestration costs more than that");
    if (billing === "emulator") return undefined;
    return refused(`${found}, and ${billed}`, `end it with --max-actions as well. ${dryRun}`);
  }
  const limit = `--max-actions ${formatCount(bound.most)}`;
  const boundsStarts = bound.kind === "starts" ? ", which then bounds the starts" : "";
  if (maxActions !== undefined) {
    if (bound.most <= maxActions) return undefined;
    return refused(
      `--max-actions: ${found}, more than the ${formatCount(maxActions)} allowed`,
      `make it smaller, or pass ${limit}${boundsStarts}`,
    );
  }
  if (billing === "emulator" || bound.most <= UNASKED_ACTIONS) return undefined;
  return refused(
    `${found}, and ${billed}`,
    `more than ${formatCount(UNASKED_ACTIONS)} need ${limit} (or greater)${boundsStarts}. ${dryRun}`,
  );
}

function refused(problem: string, hint?: string): UsageError {
  return new UsageError("spend-limit", problem, { hint });
}

/** @throws UsageError */
export function guardSpend(
  cost: PlanCost,
  limits: SpendLimits,
  repeat: number,
  billing: Billing,
  what?: Spender,
): void {
  const objection = spendObjection(cost, limits, repeat, billing, what);
  if (objection !== undefined) throw objection;
}

/**
 * `2 capacity units do at most 4,000 actions/s: the run keeps all of them busy for 10.1 s, and takes that long or
 * longer; they hold 100 GB`; undefined without units, or if the number of actions is unknown.
 */
export function capacityLine(cost: PlanCost, { capacityUnits }: SpendLimits, repeat: number): string | undefined {
  const { mostStarts, each } = cost;
  if (capacityUnits === undefined || mostStarts === undefined || each === undefined) return undefined;
  const actions = mostStarts * each.actions * repeat;
  const busy = (perSecond: number): string => {
    return `busy for ${formatDuration((actions * 1_000) / perSecond)}, and takes that long or longer`;
  };
  if (capacityUnits === "consumption") {
    const { actionsPerSecond } = CONSUMPTION;
    return `a Consumption scheduler does at most ${actionsPerSecond} actions/s: the run keeps it ${busy(actionsPerSecond)}`;
  }
  const perSecond = capacityUnits * DEDICATED.actionsPerSecondOfUnit;
  const [does, them, hold] = capacityUnits === 1 ? ["does", "it", "it holds"] : ["do", "them", "they hold"];
  return (
    `${plural(capacityUnits, "capacity unit")} ${does} at most ${formatCount(perSecond)} actions/s: the run keeps all of ` +
    `${them} ${busy(perSecond)}; ${hold} ${capacityUnits * DEDICATED.gigabytesOfUnit} GB`
  );
}

function capacity(text: string, context: z.core.$RefinementCtx<string>): Capacity {
  const units = parseCount(text);
  if (units !== undefined && units >= 1 && units <= DEDICATED.mostUnits) return units;
  if (/^consumption$/iu.test(text)) return "consumption";
  context.addIssue({ code: "custom", message: `--capacity-units: expected ${CAPACITY_EXPECTED}, found "${text}"` });
  return z.NEVER;
}
