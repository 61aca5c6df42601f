import type { InstanceState, OrchestrationClient, RuntimeStatus } from "../backend/orchestration-client.js";
import { instanceIdOf, runIdOf } from "../plan/run-id.js";
import { isEnded } from "../backend/ended-status.js";
import { isoTime } from "./instance-status.js";
import { pagesOf } from "./run-reader.js";
import { RunTally } from "./run-tally.js";

const LISTED = 10;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/**
 * How far back to search. A larger window is searched only if a smaller one has too few runs, because a hub may keep a
 * million old instances. The first windows are small, because a run of minutes may have a hundred thousand.
 */
const WINDOWS_MS = [MINUTE_MS, 10 * MINUTE_MS, HOUR_MS, 24 * HOUR_MS, 30 * 24 * HOUR_MS, Number.POSITIVE_INFINITY];
/** Within this time of its first instance, a run may have created instances whose starts overtook it. */
const OVERTAKEN_MS = 60_000;

export interface RunOverview {
  readonly runId: string;
  /** ISO 8601 in UTC, on the backend's clock. */
  readonly createdAt: string;
  readonly instances: number;
  readonly ended: number;
  readonly byStatus: Partial<Record<RuntimeStatus, number>>;
}

export interface LatestRuns {
  /** The latest first. */
  readonly runs: readonly RunOverview[];
  /** Whether the search was cut. Then runs may be missing, and those that were found may have more instances. */
  readonly isCut: boolean;
}

/**
 * The ten latest runs on a hub. `mayReadOn` is asked after each page, with the number of instances that were read so far,
 * those of other programs too.
 */
export async function latestRuns(
  client: OrchestrationClient,
  nowMs: number,
  signal: AbortSignal,
  mayReadOn: (instancesRead: number) => boolean = () => true,
): Promise<LatestRuns> {
  const tallies = new Map<string, RunTally>();
  let instancesRead = 0;
  let createdToMs: number | undefined;
  let runs: RunOverview[] = [];
  for (const windowMs of WINDOWS_MS) {
    const sinceMs = nowMs - windowMs;
    const createdFromMs = Number.isFinite(sinceMs) ? Math.max(0, sinceMs - OVERTAKEN_MS) : undefined;
    for await (const page of pagesOf(client, { createdFromMs, createdToMs }, signal)) {
      for (const state of page) addTo(tallies, state);
      instancesRead += page.length;
      if (!mayReadOn(instancesRead)) return { runs: latestOf([...tallies].map(overviewOf)), isCut: true };
    }

    // A run that began before the window has more instances there. The last window has all instances.
    runs = [...tallies].filter((run) => beganSince(run, sinceMs)).map(overviewOf);
    if (runs.length >= LISTED) break;
    createdToMs = createdFromMs;
  }
  return { runs: latestOf(runs), isCut: false };
}

function latestOf(runs: readonly RunOverview[]): readonly RunOverview[] {
  return runs.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)).slice(0, LISTED);
}

/** Instances are numbered in the order of their starts, so a run whose first instance is present is complete. */
function beganSince([runId, tally]: readonly [string, RunTally], sinceMs: number): boolean {
  if (!Number.isFinite(sinceMs)) return true;
  return tally.has(instanceIdOf(runId, 0)) && tally.span().firstCreatedMs >= sinceMs;
}

function addTo(tallies: Map<string, RunTally>, state: InstanceState): void {
  const runId = runIdOf(state.instanceId);
  if (runId === undefined) return;
  const tally = tallies.get(runId) ?? new RunTally();
  tally.add(state);
  tallies.set(runId, tally);
}

function overviewOf([runId, tally]: readonly [string, RunTally]): RunOverview {
  return {
    runId,
    createdAt: isoTime(tally.span().firstCreatedMs),
    instances: tally.total,
    ended: tally.count(isEnded),
    byStatus: tally.byStatus(),
  };
}
