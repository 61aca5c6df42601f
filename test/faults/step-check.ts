import { keyOf, type ClientLog } from "./client-log.js";
import type { HistoryEvent } from "./growth-check.js";
import { raisedIn } from "./history-check.js";
import type { Script } from "./scripts.js";

/** Acknowledged steps of which the history of the instance does not tell, and events that nobody has raised. */
export function stepFaults(script: Script, history: readonly HistoryEvent[], log: ClientLog): string[] {
  const { instanceId, orchestrator, steps } = script;
  // Of that one only the last execution is left.
  if (orchestrator === "Collect") return [];
  const faults: string[] = [];
  const raised = raisedIn(history);
  for (const [place, step] of steps.entries()) {
    const key = keyOf(script, place);
    const asked = log.asked.get(key) ?? 0;
    let found = 1;
    let most = 1;
    if (step.do === "raise") {
      found = raised.get(`${step.event}=${step.data}`) ?? 0;
      most = asked;
    } else if (step.do === "suspend") {
      found = history.filter((event) => event.executionsuspended).length;
    } else if (step.do === "resume") {
      found = history.filter((event) => event.executionresumed).length;
    } else if (step.do === "start" && step.aheadMs !== undefined) {
      found = history.filter((event) => event.executionstarted?.scheduledstarttimestamp).length;
    }
    if (log.acknowledged.has(key) && found < 1) faults.push(`${key}: ${step.do} was acknowledged, and is not there`);
    if (found > most) faults.push(`${key}: ${step.do} is there ${found} times, and was asked for ${asked} times`);
  }
  for (const [event, count] of raised) {
    if (event.startsWith("child-") && count > 1)
      faults.push(`${instanceId}: ${event} was sent once, and came ${count} times`);
  }
  return faults;
}
