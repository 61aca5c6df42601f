import { BREAKDOWN_PHASES, MERGED_PHASES } from "../result/breakdown-schema.js";
import type { BreakdownPhase, MovedPhases, RunResult } from "../result/run-result.js";

/** The phases of a side on average, milliseconds in each orchestration. */
type Means = ReadonlyMap<BreakdownPhase, number>;

/**
 * How far the phases of the traced orchestrations moved from one side to the other, the largest change first. The changes add
 * up to that of the whole. Undefined where a run has no breakdown.
 */
export function movedPhasesOf(base: readonly RunResult[], fresh: readonly RunResult[]): MovedPhases | undefined {
  const all = [...base, ...fresh];
  if (all.some(({ breakdown }) => breakdown?.phases === undefined)) return undefined;
  // Where the clocks of one run do not tell two phases apart, they are one in all.
  const merged = Object.entries(MERGED_PHASES).filter(([pair]) =>
    all.some(({ breakdown }) => breakdown?.phases?.[pair as BreakdownPhase]),
  );
  const names = new Map(merged.flatMap(([pair, of]) => of.map((phase) => [phase, pair as BreakdownPhase] as const)));
  const [before, after] = [meansOf(base, names), meansOf(fresh, names)];
  const phases = BREAKDOWN_PHASES.filter((phase) => before.has(phase) || after.has(phase))
    .map((phase) => ({ phase, baseMs: before.get(phase) ?? 0, newMs: after.get(phase) ?? 0 }))
    .toSorted((one, other) => changeOf(other) - changeOf(one));
  return { baseMs: sumOf(before), newMs: sumOf(after), phases };
}

function meansOf(runs: readonly RunResult[], names: ReadonlyMap<BreakdownPhase, BreakdownPhase>): Means {
  const means = new Map<BreakdownPhase, number>();
  for (const { breakdown } of runs) {
    for (const phase of BREAKDOWN_PHASES) {
      const time = breakdown?.phases?.[phase];
      if (!time) continue;
      const name = names.get(phase) ?? phase;
      means.set(name, (means.get(name) ?? 0) + time.meanMs / runs.length);
    }
  }
  return means;
}

function changeOf({ baseMs, newMs }: MovedPhases["phases"][number]): number {
  return Math.abs(newMs - baseMs);
}

function sumOf(means: Means): number {
  return [...means.values()].reduce((sum, ms) => sum + ms, 0);
}
