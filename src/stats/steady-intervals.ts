import { lengthOf, type LoadShape } from "../result/load-shape.js";
import type { Interval, RunResult } from "../result/run-result.js";

/** Noise makes three parts go one way in one of three cases, nine parts hardly ever. */
const BLOCKS = 9;

/**
 * The intervals of a run in which the load was as it was meant to be: behind the warm-up, and before the last start was
 * due. None where the load changes, or is all started at once.
 */
export function steadyIntervals({ plan, series = [], durationMs }: MeasuredLoad): readonly Interval[] {
  if (!isConstant(plan.load)) return [];
  const fromMs = plan.warmupMs ?? 0;
  const toMs = Math.min(lengthOf(plan) ?? durationMs, durationMs);
  return series.filter((interval) => interval.fromMs >= fromMs && interval.fromMs + interval.lengthMs <= toMs);
}

export type MeasuredLoad = Pick<RunResult, "plan" | "series" | "durationMs" | "stalls">;

/** Nine parts, as equally long as may be; undefined of fewer than nine. The first three are the first third. */
export function ninthsOf<T>(items: readonly T[]): readonly (readonly T[])[] | undefined {
  if (items.length < BLOCKS) return undefined;
  const startOf = (block: number): number => Math.floor((block * items.length) / BLOCKS);
  return Array.from({ length: BLOCKS }, (_, block) => items.slice(startOf(block), startOf(block + 1)));
}

function isConstant(load: LoadShape | undefined): boolean {
  if (load?.kind !== "open") return load?.kind === "closed";
  return new Set(load.stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond])).size === 1;
}
