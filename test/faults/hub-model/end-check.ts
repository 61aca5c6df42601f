import { Status } from "../../../src/protocol/orchestration-status.js";
import type { InstanceRow } from "../../../src/emulator/store/store.js";
import { CHILD, TASK, TIMER, askedFor, outcomes, outstanding } from "./asked.js";
import type { ModelWorker } from "./model-worker.js";
import type { HistoryEvent, Scene } from "./scene.js";
import type { Workers } from "./workers.js";

/** What is amiss where all orchestrations were to end. */
export function endFaults(scene: Scene, workers: Workers): string[] {
  const rows = scene.rows();
  // What nobody waits for is called off where a hub is emptied.
  const wasEmptied = scene.trace.counts.has("delete all?");
  return [
    ...leftFaults(scene),
    ...workers.connected.flatMap(workerFaults),
    ...rows.flatMap((row) => rowFaults(scene, row)),
    ...(wasEmptied ? [] : rows.flatMap((row) => notRunFaults(scene, row, workers.tasksRun))),
  ];
}

/** Memory and store agree that nothing is left to do. */
function leftFaults(scene: Scene): string[] {
  const inFlight = scene.inFlight().map(({ instanceId, status }) => `${instanceId} with status ${status}`);
  const active = [...scene.store.active()].map(({ row }) => row.instanceId);
  const detached = scene.store.detached().map(({ instanceId, taskId }) => `${instanceId}#${taskId}`);
  return [
    ...(scene.hub.inFlight === 0
      ? []
      : [`the hub has ${scene.hub.inFlight} in flight, its store ${inFlight.join(", ")}`]),
    ...(active.length === 0 ? [] : [`active in the store: ${active.join(", ")}`]),
    ...(detached.length === 0 ? [] : [`activities that nobody waits for were not run: ${detached.join(", ")}`]),
  ];
}

function workerFaults({ worker, held, leases }: ModelWorker): string[] {
  const { episode, activity } = worker.holds;
  const counts = { held: held.size, leases: leases.size, episode, activity, homed: worker.homed };
  return Object.values(counts).every((count) => count === 0) ? [] : [`${worker.id} has ${JSON.stringify(counts)}`];
}

function rowFaults(scene: Scene, row: InstanceRow): string[] {
  const events = scene.historyOf(row);
  const waiting = scene.waitingOf(row).length;
  return [
    ...(waiting === 0 ? [] : [`${waiting} events wait for it though it has ended`]),
    ...(events.some((event) => event.hasExecutioncompleted()) ? [] : ["its history has no end"]),
    ...[TASK, TIMER, CHILD].flatMap((kind) => pairingFaults(events, kind)),
  ].map((fault) => `${row.instanceId} with status ${row.status}: ${fault}`);
}

/** What an orchestration asks for is run, also where it has not waited for it. */
function notRunFaults(scene: Scene, row: InstanceRow, tasksRun: ReadonlySet<number>): string[] {
  const hasToRun = row.status === Status.Completed || row.status === Status.Failed;
  const left = outstanding(scene.historyOf(row), TASK).filter((id) => !tasksRun.has(id));
  return hasToRun && left.length > 0 ? [`${row.instanceId}: its tasks ${left.join(" ")} were never run`] : [];
}

/** Nothing is asked for twice under one id, nothing has two outcomes, and none an outcome that was not asked for. */
function pairingFaults(events: readonly HistoryEvent[], kind: typeof TASK): string[] {
  const asked = askedFor(events, kind);
  const done = outcomes(events, kind);
  const isPaired = isDistinct(asked) && isDistinct(done) && done.every((id) => asked.includes(id));
  return isPaired ? [] : [`of kind ${kind.name} it asked for ${asked.join(" ")}, and was told of ${done.join(" ")}`];
}

function isDistinct(ids: readonly number[]): boolean {
  return new Set(ids).size === ids.length;
}
