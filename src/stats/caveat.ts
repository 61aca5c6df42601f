import type { Caveat, RunResult } from "../result/run-result.js";

/** The load on a machine changes within hours. Runs that far apart may differ for that reason alone. */
const FAR_APART_MS = 3_600_000;

export function caveatsOf(base: readonly RunResult[], fresh: readonly RunResult[]): readonly Caveat[] {
  return [...farApart(base, fresh), ...unlikeMachines(base, fresh)];
}

function farApart(base: readonly RunResult[], fresh: readonly RunResult[]): readonly Caveat[] {
  const [before, after] = [startsOf(base), startsOf(fresh)];
  const gaps = [
    { first: "base" as const, gapMs: Math.min(...after) - Math.max(...before) },
    { first: "new" as const, gapMs: Math.min(...before) - Math.max(...after) },
  ];
  return gaps.filter(({ gapMs }) => gapMs > FAR_APART_MS).map((gap): Caveat => ({ kind: "hours-apart", ...gap }));
}

function unlikeMachines(base: readonly RunResult[], fresh: readonly RunResult[]): readonly Caveat[] {
  const [before, after] = [machinesOf(base), machinesOf(fresh)];
  const isSame = before.length === after.length && before.every((machine) => after.includes(machine));
  return isSame ? [] : [{ kind: "unlike-machines", base: before, new: after }];
}

function startsOf(runs: readonly RunResult[]): readonly number[] {
  return runs.map(({ startedAt }) => Date.parse(startedAt));
}

function machinesOf(runs: readonly RunResult[]): readonly string[] {
  return [...new Set(runs.map(({ environment: { cpu } }) => `${cpu.cores} x ${cpu.model}`))];
}
