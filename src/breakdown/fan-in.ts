import type { FanIn, Stragglers } from "../result/run-result.js";
import type { ContinueAsNewPlan } from "../stats/continue-as-new-advice.js";
import { growthOf } from "../stats/growth.js";
import { meanOf } from "../stats/mean.js";
import { fanOutsOf, lengthOf, type FanOut } from "./fan-outs.js";
import { growthTallyOf } from "./growth.js";
import type { TracedInstance } from "./traced-instance.js";

/** What fan-outs wait for, and what an iteration costs by its number. Undefined where there was no fan-out. */
export function fanInOf(instances: readonly TracedInstance[], plan: ContinueAsNewPlan = {}): FanIn | undefined {
  const each = instances.map(({ history }) => fanOutsOf(history));
  const all = each.flat();
  if (all.length === 0) return undefined;
  const wide = all.filter(({ tasksUs }) => tasksUs.length > 1);
  const growth = growthTallyOf(instances, plan);
  const wholeUs = instances.reduce((sum, { intendedUs, endedUs }) => sum + endedUs - intendedUs, 0);
  return {
    iterations: all.length,
    iterationMs: meanOf(all.map(lengthOf)) / 1_000,
    episodes: meanOf(all.map(({ episodes }) => episodes)),
    ...(wide.length > 0 && stragglersOf(wide, wholeUs)),
    ...(growth && { growth: growthOf(growth, plan) }),
  };
}

/**
 * The last of each fan-out against the median of it, which all would be as quick as without stragglers: with the way to the
 * worker and back, and of executions alone.
 */
function stragglersOf(wide: readonly FanOut[], wholeUs: number): Pick<FanIn, "stragglers"> {
  const [lastMs, medianMs] = lastAndMedianMs(wide.map(({ tasksUs }) => tasksUs));
  const executions = wide.flatMap(({ executionsUs }) => (executionsUs ? [executionsUs] : []));
  const waitingUs = (lastMs - medianMs) * 1_000 * wide.length;
  return {
    stragglers: {
      lastMs,
      medianMs,
      ...ratioOf(lastMs, medianMs),
      ...(wholeUs > 0 && { waitingShare: waitingUs / wholeUs }),
      ...(executions.length > 0 && { execute: executeOf(executions) }),
    },
  };
}

function executeOf(executions: readonly (readonly number[])[]): NonNullable<Stragglers["execute"]> {
  const [longestMs, medianMs] = lastAndMedianMs(executions);
  return { longestMs, medianMs, ...ratioOf(longestMs, medianMs) };
}

/** Means over fan-outs, each in ascending order. */
function lastAndMedianMs(fanOutsUs: readonly (readonly number[])[]): readonly [lastMs: number, medianMs: number] {
  const lastUs = meanOf(fanOutsUs.map((ascending) => ascending.at(-1)!));
  return [lastUs / 1_000, meanOf(fanOutsUs.map(medianOf)) / 1_000];
}

function ratioOf(lastMs: number, medianMs: number): { readonly ratio?: number } {
  return medianMs > 0 ? { ratio: lastMs / medianMs } : {};
}

function medianOf(ascending: readonly number[]): number {
  const half = ascending.length / 2;
  return (ascending[Math.ceil(half) - 1]! + ascending[Math.floor(half)]!) / 2;
}
