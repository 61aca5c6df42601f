import { nameOf, type Contender } from "#contender";
import type { RunMeasure } from "#measure-run";
import type { Standing } from "#session";
import { spreadOf, type Spread } from "#spread";
import type { Workload } from "#workloads";

/** What is told of one contender on one workload. */
export interface Summary {
  readonly name: string;
  readonly engine: string;
  readonly slowCommitsMs?: number;
  readonly durability: string;
  readonly activitiesPerSecond?: Spread;
  /** Its activities per second over the baseline's, repetition by repetition; the baseline slowed as it is itself. */
  readonly toBaseline?: Spread;
  /** Its activities per second with slowed commits over those without. */
  readonly toUnslowed?: Spread;
  readonly cpuSecondsPerThousand?: Spread;
  readonly serverMicrosPerActivity?: Spread;
  /** The most that was resident in any run. */
  readonly peakBytes?: number;
  readonly commitsPerThousand?: Spread;
  readonly absent?: Standing["absent"];
  readonly remarks: readonly string[];
  readonly runs: readonly RunMeasure[];
}

export interface WorkloadSummary {
  readonly workload: Workload;
  readonly baseline: string;
  readonly contenders: readonly Summary[];
}

export function summarize(workload: Workload, standings: readonly Standing[], baseline: string): WorkloadSummary {
  const find = (engine: string, slow: Contender["slow"]): Standing | undefined =>
    standings.find(({ contender }) => contender.engine.name === engine && contender.slow === slow);
  const contenders = standings.map((standing): Summary => {
    const { contender, runs, absent } = standing;
    const { engine, slow } = contender;
    const base = find(baseline, slow);
    const unslowed = slow === undefined ? undefined : find(engine.name, undefined);
    return {
      name: nameOf(contender),
      engine: engine.name,
      ...(slow !== undefined && { slowCommitsMs: slow.milliseconds }),
      durability: engine.durability,
      ...present(
        "activitiesPerSecond",
        runs.map((run) => run.activitiesPerSecond),
      ),
      ...present("toBaseline", ratios(standing, base)),
      ...present("toUnslowed", ratios(standing, unslowed)),
      ...present(
        "cpuSecondsPerThousand",
        runs.map((run) => run.cpuSecondsPerThousand),
      ),
      ...present(
        "serverMicrosPerActivity",
        runs.map((run) => run.serverMicrosPerActivity),
      ),
      ...(runs.length > 0 && { peakBytes: Math.max(...runs.map((run) => run.peakBytes)) }),
      ...present(
        "commitsPerThousand",
        runs.map((run) => run.commitsPerThousand),
      ),
      ...(absent !== undefined && { absent }),
      remarks: remarksOf(runs),
      runs,
    };
  });
  return { workload, baseline, contenders };
}

/** Each repetition of the one over the same repetition of the other: what the machine did meanwhile is in both. */
function ratios({ runs }: Standing, other: Standing | undefined): readonly number[] {
  if (other === undefined || other.runs.length !== runs.length) return [];
  return runs.map((run, rep) => run.activitiesPerSecond / other.runs[rep]!.activitiesPerSecond);
}

function present<K extends string>(key: K, values: readonly (number | undefined)[]): { readonly [P in K]?: Spread } {
  const measured = values.filter((value) => value !== undefined);
  return measured.length === 0 ? {} : ({ [key]: spreadOf(measured) } as { readonly [P in K]?: Spread });
}

function remarksOf(runs: readonly RunMeasure[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const remark of runs.flatMap(({ remarks }) => remarks)) counts.set(remark, (counts.get(remark) ?? 0) + 1);
  return [...counts].map(([remark, count]) => `${remark} in ${count} of ${runs.length} runs`);
}
