import { z } from "zod";
import type { Connection } from "../backend/connection-string.js";
import { UsageError } from "../errors.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { count, readFlags } from "./flags.js";

/** Actions that a run may cost on a backend that bills them without anybody having said so. */
const UNASKED_ACTIONS = 100_000;
/** What one capacity unit of a Dedicated scheduler does. */
const ACTIONS_PER_UNIT = 2_000;
const MOST_UNITS = 1_000;

const spendFlags = z.object({
  maxActions: count("--max-actions", 1, Number.MAX_SAFE_INTEGER).optional(),
  capacityUnits: count("--capacity-units", 1, MOST_UNITS).optional(),
});

export interface SpendLimits {
  /** The run may cost so many actions. */
  readonly maxActions?: number | undefined;
  /** Capacity units of the scheduler. */
  readonly capacityUnits?: number | undefined;
}

/** @throws UsageError that names the flag, what was expected and what was found */
export function parseSpendLimits(flags: unknown): SpendLimits {
  return readFlags(spendFlags, flags);
}

/**
 * Why a run of so many actions is not to be started, and what to pass if it is meant; undefined if nothing is against
 * it. On a backend that may bill them more than 100,000 need a person's word; a limit that was given holds everywhere.
 */
export function spendObjection(
  actions: number,
  { maxActions }: SpendLimits,
  backend: Connection["kind"],
): string | undefined {
  const cost = `this run costs ${formatCount(actions)} actions`;
  if (maxActions !== undefined) {
    if (actions <= maxActions) return undefined;
    return `--max-actions: ${cost}, more than the ${formatCount(maxActions)} allowed; make it smaller, or pass --max-actions ${formatCount(actions)}`;
  }
  if (backend === "emulator" || actions <= UNASKED_ACTIONS) return undefined;
  return (
    `${cost}, and a backend other than the emulator may bill them; more than ${formatCount(UNASKED_ACTIONS)} need ` +
    `--max-actions ${formatCount(actions)} (or greater). --dry-run prints the plan and starts nothing`
  );
}

/** @throws UsageError */
export function guardSpend(actions: number, limits: SpendLimits, backend: Connection["kind"]): void {
  const objection = spendObjection(actions, limits, backend);
  if (objection !== undefined) throw new UsageError(objection);
}

/** `2 capacity units do at most 4,000 actions/s: 40,200 actions take them 10.1 s or longer`; undefined without units. */
export function capacityLine(actions: number, { capacityUnits }: SpendLimits): string | undefined {
  if (capacityUnits === undefined) return undefined;
  const perSecond = capacityUnits * ACTIONS_PER_UNIT;
  return (
    `${plural(capacityUnits, "capacity unit")} ${capacityUnits === 1 ? "does" : "do"} at most ` +
    `${formatCount(perSecond)} actions/s: the run keeps all of ${capacityUnits === 1 ? "it" : "them"} busy for ` +
    `${formatDuration((actions * 1_000) / perSecond)}, and takes that long or longer`
  );
}
