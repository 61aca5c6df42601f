import type { OrchestrationClient, RuntimeStatus } from "../backend/orchestration-client.js";
import { isOfLoadTest } from "./of-load-test.js";
import { isEnded } from "../backend/ended-status.js";
import { isUnfinished } from "./instance-status.js";
import { RunReader, pagesOf } from "./run-reader.js";
import { RunTally } from "./run-tally.js";

/** The instances that a purge or a termination selects. */
export interface InstanceSelection {
  readonly ended: readonly string[];
  readonly unfinished: { readonly ids: readonly string[]; readonly byStatus: Partial<Record<RuntimeStatus, number>> };
  /** Instances that belong to no load test; they are not touched. */
  readonly others: number;
  /** Orchestrators of selected instances that may belong to another application, because somebody chose the run id. */
  readonly unrecognised: readonly string[];
}

/** All instances of a run, with the sub-orchestrations of its fan-outs. */
export async function selectRun(
  client: OrchestrationClient,
  runId: string,
  signal: AbortSignal,
): Promise<InstanceSelection> {
  const reader = new RunReader(client, runId);
  await reader.read("all", signal);
  return selectionOf([reader.tally, reader.parts], 0);
}

/**
 * Selects instances of load tests that were created before a time on the backend's clock: those of the fan-out/fan-in
 * workload, and those of runs with a generated id. Other instances are only counted, because the hub may be shared: an
 * instance of somebody's own orchestration under a chosen run id looks like any other work.
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
  return selectionOf([tally], others);
}

function selectionOf(tallies: readonly RunTally[], others: number): InstanceSelection {
  const byStatus: Partial<Record<RuntimeStatus, number>> = {};
  for (const [name, count] of tallies.flatMap((tally) => Object.entries(tally.byStatus()))) {
    const status = name as RuntimeStatus;
    if (isUnfinished(status)) byStatus[status] = (byStatus[status] ?? 0) + count;
  }

  return {
    ended: tallies.flatMap((tally) => tally.ids(isEnded)),
    unfinished: { ids: tallies.flatMap((tally) => tally.ids(isUnfinished)), byStatus },
    others,
    unrecognised: [...new Set(tallies.flatMap((tally) => tally.unrecognised))],
  };
}
