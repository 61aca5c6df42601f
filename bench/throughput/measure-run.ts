import { setTimeout as sleep } from "node:timers/promises";
import type { StartedContender } from "#contender";
import { cpuSeconds, endedChildrenCpuSeconds, sampleMemory } from "#process-accounting";
import { activitiesOf, type Workload } from "#workloads";

/** What an engine does behind its last result is waited for, so long, and counted as its CPU. */
const SETTLE_MOST_MS = 3_000;
const SETTLE_STEP_MS = 200;
/** Less than this in one step is quiet: 5 % of a core. */
const QUIET_CPU_SECONDS = 0.01;

/** One run of a workload, every result checked. */
export interface RunMeasure {
  readonly activitiesPerSecond: number;
  /** Of all processes of the engine, its client included, until they are quiet again. */
  readonly cpuSecondsPerThousand: number;
  /** Of the server alone; absent where there is none. */
  readonly serverMicrosPerActivity?: number;
  readonly peakBytes: number;
  /** Calls of fsync and fdatasync per 1,000 activities; present where they are slowed, and so counted. */
  readonly commitsPerThousand?: number;
  readonly remarks: readonly string[];
}

/** @throws where a result is missing or wrong, where commits were to be slowed and were not, and as the signal says */
export async function measureRun(
  { running, slowedCommits }: StartedContender,
  workload: Workload,
  signal: AbortSignal,
): Promise<RunMeasure> {
  const activities = activitiesOf(workload);
  const all = (): number => cpuSeconds(running.pids()) + endedChildrenCpuSeconds();
  const server = (): number => cpuSeconds(running.serverPids());
  const [allBefore, serverBefore, commitsBefore] = [all(), server(), slowedCommits()];
  const memory = sampleMemory(() => running.pids());
  const { seconds, remarks } = await running.run(workload, signal).finally(() => memory.stop());
  await settled(all);
  const commits = commitsBefore === undefined ? undefined : slowedCommits()! - commitsBefore;
  if (commits === 0) throw new Error("no commit was slowed in this run");
  return {
    activitiesPerSecond: activities / seconds,
    cpuSecondsPerThousand: ((all() - allBefore) / activities) * 1_000,
    ...(running.serverPids().length > 0 && { serverMicrosPerActivity: ((server() - serverBefore) / activities) * 1e6 }),
    peakBytes: memory.peakBytes(),
    ...(commits !== undefined && { commitsPerThousand: (commits / activities) * 1_000 }),
    remarks,
  };
}

/** Waits until the processes are quiet, so that the next engine has the machine for itself. */
async function settled(seconds: () => number): Promise<void> {
  const endMs = performance.now() + SETTLE_MOST_MS;
  for (let before = seconds(), quiet = false; !quiet && performance.now() < endMs;) {
    await sleep(SETTLE_STEP_MS);
    const now = seconds();
    quiet = now - before <= QUIET_CPU_SECONDS;
    before = now;
  }
}

/** The share of a core that an engine takes when it has nothing to do. */
export async function idleShare({ running }: StartedContender, milliseconds: number): Promise<number> {
  const before = cpuSeconds(running.pids());
  await sleep(milliseconds);
  return ((cpuSeconds(running.pids()) - before) / milliseconds) * 1_000;
}
