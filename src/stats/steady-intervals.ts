import { lengthOf, type LoadShape } from "../result/load-shape.js";
import type { Interval, RunResult } from "../result/run-result.js";

/** With three parts, noise looks like a trend in one of three cases. With nine parts it hardly ever does. */
const BLOCKS = 9;

/**
 * The intervals of a run with the intended load: after the warm-up, and before the last start was due. None if the load
 * changes, or if everything starts at once.
 */
export function steadyIntervals({ plan, series = [], durationMs }: MeasuredLoad): readonly Interval[] {
  if (!isConstant(plan.load)) return [];
  const fromMs = plan.warmupMs ?? 0;
  const toMs = Math.min(lengthOf(plan) ?? durationMs, durationMs);
  return series.filter((interval) => interval.fromMs >= fromMs && interval.fromMs + interval.lengthMs <= toMs);
}

export type MeasuredLoad = Pick<RunResult, "plan" | "series" | "durationMs" | "stalls">;

/** Nine parts of nearly equal length; undefined for fewer than nine items. The first three are the first third. */
export function ninthsOf<T>(items: readonly T[]): readonly (readonly T[])[] | undefined {
  if (items.length < BLOCKS) return undefined;
  const startOf = (block: number): number => Math.floor((block * items.length) / BLOCKS);
  return Array.from({ length: BLOCKS }, (_, block) => items.slice(startOf(block), startOf(block + 1)));
}

function isConstant(load: LoadShape | undefined): boolean {
  if (load?.kind !== "open") return load?.kind === "closed";
  return new Set(load.stages.flatMap(({ fromPerSecond, toPerSecond }) => [fromPerSecond, toPerSecond])).size === 1;
}
