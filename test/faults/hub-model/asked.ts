import type { HistoryEvent } from "./scene.js";

interface Kind {
  readonly name: string;
  /** Whether the event says that one was asked for; its own id is that of what was asked. */
  readonly isAsked: (event: HistoryEvent) => boolean;
  /** The id of what the event is the outcome of. */
  readonly outcomeOf: (event: HistoryEvent) => number | undefined;
}

export const TASK: Kind = {
  name: "task",
  isAsked: (event) => event.hasTaskscheduled(),
  outcomeOf: (event) => (event.getTaskcompleted() ?? event.getTaskfailed())?.getTaskscheduledid(),
};

export const TIMER: Kind = {
  name: "timer",
  isAsked: (event) => event.hasTimercreated(),
  outcomeOf: (event) => event.getTimerfired()?.getTimerid(),
};

export const CHILD: Kind = {
  name: "sub-orchestration",
  isAsked: (event) => event.hasSuborchestrationinstancecreated(),
  outcomeOf: (event) =>
    (event.getSuborchestrationinstancecompleted() ?? event.getSuborchestrationinstancefailed())?.getTaskscheduledid(),
};

export function askedFor(events: readonly HistoryEvent[], kind: Kind): number[] {
  return events.filter(kind.isAsked).map((event) => event.getEventid());
}

export function outcomes(events: readonly HistoryEvent[], kind: Kind): number[] {
  return events.map(kind.outcomeOf).filter((id) => id !== undefined);
}

/** What was asked for and has no outcome. */
export function outstanding(events: readonly HistoryEvent[], kind: Kind): number[] {
  const done = new Set(outcomes(events, kind));
  return askedFor(events, kind).filter((id) => !done.has(id));
}
