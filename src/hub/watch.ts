import { setTimeout as sleep } from "node:timers/promises";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { isEnded } from "../backend/ended-status.js";
import type { InstanceStatus } from "./instance-status.js";
import { lookUp, type LookedUp } from "./look-up.js";
import type { RunObserver, RunStatus } from "./run-status.js";

const PAUSE_MS = 1_000;
/** The pause is this many times as long as the read before it, so that watching a run does not add to its load. */
const PAUSE_PER_LOOK = 4;

/** Waits between two reads; gets the duration of the last one. Tests pass their own. */
export type Pause = (lookMs: number, signal: AbortSignal) => Promise<void>;

const pauseInProportion: Pause = (lookMs, signal) =>
  sleep(Math.max(PAUSE_MS, lookMs * PAUSE_PER_LOOK), undefined, { signal });

/**
 * Reads a run until all its instances have ended. The run may still be starting instances, so the end is confirmed by a
 * second complete read after a pause. Ends at once if the run has no instance.
 */
export async function* watchRun(run: RunObserver, pause: Pause = pauseInProportion): AsyncIterable<RunStatus> {
  let over: "all" | "not completed" = "all";
  let endedBefore: number | undefined;
  for (;;) {
    const startedMs = performance.now();
    const status = await run.look(over);
    if (!status) return;
    yield status;
    const allEnded = status.ended === status.instances;
    if (allEnded && over === "all" && endedBefore === status.instances) return;
    endedBefore = allEnded ? status.instances : undefined;
    over = allEnded ? "all" : "not completed";
    await pause(performance.now() - startedMs, run.signal);
  }
}

/** Looks at instances until all that the hub knows have ended; one that has ended is not asked for again. */
export async function* watchInstances(
  client: OrchestrationClient,
  instanceIds: readonly string[],
  signal: AbortSignal,
  pause: Pause = pauseInProportion,
): AsyncIterable<LookedUp> {
  let ended: readonly InstanceStatus[] = [];
  let open = instanceIds;
  let unknown: readonly string[] = [];
  for (;;) {
    const startedMs = performance.now();
    const looked = await lookUp(client, open, signal);
    unknown = [...unknown, ...looked.unknown];
    ended = [...ended, ...looked.instances.filter(({ status }) => isEnded(status))];
    const running = looked.instances.filter(({ status }) => !isEnded(status));
    yield { instances: inOrder(instanceIds, [...ended, ...running]), unknown };
    if (running.length === 0) return;
    open = running.map(({ instanceId }) => instanceId);
    await pause(performance.now() - startedMs, signal);
  }
}

function inOrder(ids: readonly string[], instances: readonly InstanceStatus[]): readonly InstanceStatus[] {
  const byId = new Map(instances.map((instance) => [instance.instanceId, instance]));
  return [...new Set(ids)].flatMap((id) => byId.get(id) ?? []);
}
