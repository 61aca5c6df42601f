import { z } from "zod";
import { UsageError } from "../errors.js";
import { formatCount } from "../format/count.js";
import { formatRate } from "../format/rate.js";
import type { Shard } from "../result/shard.js";
import { count } from "./flag-values.js";
import type { LoadPlan } from "./plan.js";
import { dividedCounts } from "./shard-flags.js";

const MOST_GENERATORS = 64;

/**
 * About half of the starts/s that keep one core busy: the other half is for punctual starts and for bursts. See
 * `docs/several-generators.md`, and `node bench/generator.ts pace`.
 */
export const CARRIED_PER_SECOND = { plaintext: 700, tls: 600 } as const;

export const generatorsFlag = z
  .union([z.literal("auto"), count("--generators", 1, MOST_GENERATORS, "auto or a whole number such as 2")])
  .optional();

/** @throws UsageError that names what does not go with `--generators` */
export function refuseWithGenerators({ shard }: { shard?: Shard | undefined }): void {
  if (shard === undefined) return;
  throw new UsageError("conflicting-flags", "--generators: expected it without --shard, which is one generator");
}

/** How many processes of this machine make the load, and why, if nobody said so. */
export interface Generators {
  readonly count: number;
  readonly why?: string;
}

/** What the choice of `auto` depends on, besides the plan. */
export interface GeneratorMachine {
  readonly cores: number;
  /** Whether the backend or workers of the run need the same cores. */
  readonly isShared: boolean;
  /** What one generator is given. */
  readonly startsPerSecond: number;
}

/**
 * The generators of a run. Automatically: as many as the highest rate of the plan needs, and as there are cores for.
 * @throws UsageError if there are more than parts of the plan
 */
export function generatorsOf(
  plan: LoadPlan,
  asked: number | "auto" | undefined,
  machine: GeneratorMachine,
): Generators {
  if (asked !== "auto") {
    for (const [flag, most] of dividedCounts(plan)) {
      if ((asked ?? 1) <= most) continue;
      const problem = `--generators: expected at most ${formatCount(most)}, one for each of ${flag} ${formatCount(most)}`;
      throw new UsageError("invalid-load", problem);
    }
    return { count: asked ?? 1 };
  }
  const { load } = plan;
  if (load.kind !== "open") return { count: 1, why: "only open load has a rate to choose by" };
  const { cores, isShared, startsPerSecond } = machine;
  const rate = Math.max(...load.stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond]));
  const needed = Math.max(1, Math.ceil(rate / startsPerSecond));
  const most = Math.max(1, isShared ? Math.floor(cores / 2) : cores);
  const chosen = Math.min(needed, most, MOST_GENERATORS, load.maxInFlight);
  const each = `${formatRate(rate)} at ${formatRate(startsPerSecond)} each`;
  return { count: chosen, why: chosen < needed ? `${each} needs ${needed}, and there are cores for ${most}` : each };
}

/** `, from 2 generators (auto: 3,000/s at 1,500/s each)`; empty for one that nobody asked about. */
export function generatorsText({ count, why }: Generators): string {
  if (count === 1 && why === undefined) return "";
  return `, from ${count} ${count === 1 ? "generator" : "generators"}${why === undefined ? "" : ` (auto: ${why})`}`;
}
