import type { OrchestrationClient, RuntimeStatus } from "../backend/orchestration-client.js";
import { isOfLoadTest } from "../load/of-load-test.js";
import { isEnded, isUnfinished } from "./instance-status.js";
import { RunReader, pagesOf } from "./run-reader.js";
import { RunTally } from "./run-tally.js";

/** What a purge is to delete, and what it has to leave. */
export interface PurgeSelection {
  readonly ended: readonly string[];
  /** Instances that have not ended: they stay. */
  readonly left: { readonly ids: readonly string[]; readonly byStatus: Partial<Record<RuntimeStatus, number>> };
  /** Instances that no load test has started: they stay too. */
  readonly others: number;
}

/** All instances of a run. */
export async function selectRun(
  client: OrchestrationClient,
  runId: string,
  signal: AbortSignal,
): Promise<PurgeSelection> {
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
): Promise<PurgeSelection> {
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

function selectionOf(tally: RunTally, others: number): PurgeSelection {
  const byStatus = Object.entries(tally.byStatus()).filter(([status]) => isUnfinished(status as RuntimeStatus));
  const left = { ids: tally.ids(isUnfinished), byStatus: Object.fromEntries(byStatus) };
  return { ended: tally.ids(isEnded), left, others };
}
