import type { FanIn } from "../result/run-result.js";
import { meanOf } from "../stats/mean.js";
import { firstEpisodeUs, type ContinueAsNewPlan } from "./continue-as-new.js";
import { fanOutsOf, lengthOf, type FanOut } from "./fan-outs.js";
import { growthOf } from "./growth.js";
import type { TracedInstance } from "./traced-instance.js";

/** What fan-outs wait for, and what an iteration costs by its number. Undefined where there was no fan-out. */
export function fanInOf(instances: readonly TracedInstance[], plan: ContinueAsNewPlan = {}): FanIn | undefined {
  const each = instances.map(({ history }) => fanOutsOf(history));
  const all = each.flat();
  if (all.length === 0) return undefined;
  const wide = all.filter(({ tasksUs }) => tasksUs.length > 1);
  const firsts = instances.flatMap(({ history }) => firstEpisodeUs(history) ?? []).toSorted((a, b) => a - b);
  const growth = growthOf(each, { plan, firstUs: firsts.length > 0 ? medianOf(firsts) : undefined });
  const wholeUs = instances.reduce((sum, { intendedUs, endedUs }) => sum + endedUs - intendedUs, 0);
  return {
    iterations: all.length,
    iterationMs: meanOf(all.map(lengthOf)) / 1_000,
    episodes: meanOf(all.map(({ episodes }) => episodes)),
    ...(wide.length > 0 && stragglersOf(wide, wholeUs)),
    ...(growth && { growth }),
  };
}

/** The last of each fan-out against the median of it, which all would be as quick as without stragglers. */
function stragglersOf(wide: readonly FanOut[], wholeUs: number): Pick<FanIn, "stragglers"> {
  const lastUs = meanOf(wide.map(({ tasksUs }) => tasksUs.at(-1)!));
  const medianUs = meanOf(wide.map(({ tasksUs }) => medianOf(tasksUs)));
  return {
    stragglers: {
      lastMs: lastUs / 1_000,
      medianMs: medianUs / 1_000,
      ...(medianUs > 0 && { ratio: lastUs / medianUs }),
      ...(wholeUs > 0 && { waitingShare: ((lastUs - medianUs) * wide.length) / wholeUs }),
    },
  };
}

function medianOf(ascending: readonly number[]): number {
  const half = ascending.length / 2;
  return (ascending[Math.ceil(half) - 1]! + ascending[Math.floor(half)]!) / 2;
}
