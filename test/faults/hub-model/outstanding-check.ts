import { isTerminal } from "../../../src/protocol/orchestration-status.js";
import type { InstanceRow } from "../../../src/emulator/store/store.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { CHILD, TASK, TIMER, outstanding } from "./asked.js";
import type { HeldItem } from "./model-worker.js";
import type { HistoryEvent, Scene } from "./scene.js";

/**
 * What is amiss where nothing happens any more, workers that take everything are there, and time enough has passed for
 * all timers and rests: then each thing that an instance waits for is with somebody, and with one alone.
 */
export function outstandingFaults(scene: Scene, held: readonly HeldItem[]): string[] {
  return [...detachedFaults(scene, held), ...scene.inFlight().flatMap((row) => rowFaults(row, scene, held))];
}

function rowFaults(row: InstanceRow, scene: Scene, held: readonly HeldItem[]): string[] {
  const own = held.filter((item) => item.instanceId === row.instanceId && item.executionId === row.executionId);
  const waiting = scene.waitingOf(row);
  const events = [...scene.historyOf(row), ...waiting];
  const faults = waiting.length > 0 && !own.some(({ kind }) => kind === "episode") ? ["nobody has its episode"] : [];
  // One that has been told to go back waits for nothing but a worker's word on how far.
  if (!events.some((event) => event.hasExecutioncompleted()))
    faults.push(...taskFaults(events, own), ...timerFaults(events), ...childFaults(events, row, scene));

  return faults.map((fault) => `${row.instanceId} with status ${row.status}: ${fault}`);
}

function detachedFaults(scene: Scene, held: readonly HeldItem[]): string[] {
  return scene.store.detached().flatMap(({ instanceId, executionId, taskId }) => {
    const own = held.filter((item) => item.instanceId === instanceId && item.executionId === executionId);
    return heldOnceFaults(taskId, own).map((fault) => `${instanceId}: ${fault}, for which nobody waits`);
  });
}

function taskFaults(events: readonly HistoryEvent[], own: readonly HeldItem[]): string[] {
  return outstanding(events, TASK).flatMap((id) => heldOnceFaults(id, own));
}

function heldOnceFaults(taskId: number, own: readonly HeldItem[]): string[] {
  const holders = own.filter((item) => item.kind === "activity" && item.taskId === taskId).length;
  return holders === 1 ? [] : [`${holders} have the task ${taskId}`];
}

function timerFaults(events: readonly HistoryEvent[]): string[] {
  return outstanding(events, TIMER).map((id) => `the timer ${id} has not fired`);
}

function childFaults(events: readonly HistoryEvent[], parent: InstanceRow, scene: Scene): string[] {
  const ids = new Set(outstanding(events, CHILD));
  return events
    .filter((event) => CHILD.isAsked(event) && ids.has(event.getEventid()))
    .flatMap((event) => {
      const childId = event.getSuborchestrationinstancecreated()!.getInstanceid();
      const child = scene.find(childId);
      const isItsOwn = child?.parentId === parent.instanceId && taskOf(child) === event.getEventid();
      const isUnderWay = isItsOwn && !isTerminal(child.status);
      const found =
        child === undefined
          ? "is not there"
          : `has status ${child.status}, for the task ${taskOf(child)} of ${child.parentId}`;
      return isUnderWay ? [] : [`its sub-orchestration ${event.getEventid()} has no outcome, and ${childId} ${found}`];
    });
}

/** What it was started for. */
function taskOf({ parent }: InstanceRow): number | undefined {
  return parent && pb.ParentInstanceInfo.deserializeBinary(parent).getTaskscheduledid();
}
