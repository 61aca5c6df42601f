import type { OrchestrationClient, RuntimeStatus } from "../backend/orchestration-client.js";
import { isOfLoadTest } from "./of-load-test.js";
import { isEnded, isUnfinished } from "./instance-status.js";
import { RunReader, pagesOf } from "./run-reader.js";
import { RunTally } from "./run-tally.js";

/** Instances that a purge or a termination is about. */
export interface InstanceSelection {
  readonly ended: readonly string[];
  readonly unfinished: { readonly ids: readonly string[]; readonly byStatus: Partial<Record<RuntimeStatus, number>> };
  /** Instances that belong to no load test; they are not touched. */
  readonly others: number;
  /**
   * Orchestrators of those selected that are not known to be of a load test: they go by a run id that somebody chose, as
   * the work of another application may.
   */
  readonly unrecognised: readonly string[];
}

/** All instances of a run. */
export async function selectRun(
  client: OrchestrationClient,
  runId: string,
  signal: AbortSignal,
): Promise<InstanceSelection> {
  const reader = new RunReader(client, runId);
  await reader.read("all", signal);
  return selectionOf(reader.tally, 0);
}

/**
 * Instances of load tests that were created before a time on the backend's clock: those of the fan-out/fan-in workload,
 * and all others of runs whose ids fanout has made up. A hub may be shared with work that is no test, which is only
 * counted: an instance of somebody's own orchestration under a run id of their own looks no different.
 */
export async function selectOlder(
  client: OrchestrationClient,
  createdToMs: number,
  signal: AbortSignal,
): Promise<InstanceSelection> {
  const tally = new RunTally();
  let others = 0;
  for await (const page of pagesOf(client, { createdToMs }, signal)) {
    for (const state of page) {
      if (isOfLoadTest(state)) tally.add(state);
      else others += 1;
    }
  }
  return selectionOf(tally, others);
}

function selectionOf(tally: RunTally, others: number): InstanceSelection {
  const byStatus = Object.entries(tally.byStatus()).filter(([status]) => isUnfinished(status as RuntimeStatus));
  return {
    ended: tally.ids(isEnded),
    unfinished: { ids: tally.ids(isUnfinished), byStatus: Object.fromEntries(byStatus) },
    others,
    unrecognised: tally.unrecognised,
  };
}
