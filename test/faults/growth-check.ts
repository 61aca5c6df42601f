import type { pb } from "../../src/protocol/sidecar-stubs.js";

export type HistoryEvent = ReturnType<InstanceType<typeof pb.HistoryEvent>["toObject"]>;

/**
 * What is wrong with a history that was read again: it has all that it had, in its order. What comes in is apart from
 * what episodes decide, as it shows before an episode takes it in.
 */
export function growthFaults(before: readonly HistoryEvent[], now: readonly HistoryEvent[]): string[] {
  if (now.length === 0) return ["it has no history"];
  return [isIncoming, isDecided].flatMap((side) => {
    const was = before.filter(side).map(identity);
    const is = now.filter(side).map(identity);
    const at = was.findIndex((event, place) => event !== is[place]);
    return at === -1 ? [] : [`its history had ${was[at]} at ${at}, and now has ${is[at] ?? "nothing"}`];
  });
}

function isDecided({ taskscheduled, timercreated, suborchestrationinstancecreated }: HistoryEvent): boolean {
  return (taskscheduled ?? timercreated ?? suborchestrationinstancecreated) !== undefined;
}

function isIncoming(event: HistoryEvent): boolean {
  const isOfEpisode = event.orchestratorstarted ?? event.orchestratorcompleted ?? event.executioncompleted;
  return isOfEpisode === undefined && !isDecided(event);
}

function identity({ timestamp, ...event }: HistoryEvent): string {
  return JSON.stringify([timestamp, event]);
}
