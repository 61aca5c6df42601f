import { expectedEnd, expectedResult } from "./expectations.js";
import type { HistoryEvent } from "./growth-check.js";
import { failsMoodily } from "./workload.js";

/** Something that an orchestrator has asked for, and what came of it. */
interface Asked {
  readonly what: string;
  /** What is wrong about an outcome. */
  readonly judge: (event: HistoryEvent) => string | undefined;
  /** Whether an end of its own waits for it. */
  readonly awaited: boolean;
  outcomes: number;
}

export interface HistoryFacts {
  readonly instanceId: string;
  readonly orchestrator: string;
  /** Whether it has come to its own end, which waits for all that it has asked for. */
  readonly completed: boolean;
  /** Whether the clock was moved meanwhile. */
  readonly clockMoved: boolean;
}

/** What is wrong with the history of an execution that has ended: whatever was asked for has one outcome, the right one. */
export function historyFaults(events: readonly HistoryEvent[], facts: HistoryFacts): string[] {
  const faults: string[] = [];
  const asked = new Map<string, Asked>();
  const ask = (kind: string, id: number, one: Omit<Asked, "outcomes" | "what">): void => {
    const what = `${kind} ${id}`;
    if (asked.has(what)) faults.push(`${what} is asked for twice`);
    asked.set(what, { ...one, what, outcomes: 0 });
  };
  const outcome = (kind: string, id: number, event: HistoryEvent): void => {
    const one = asked.get(`${kind} ${id}`);
    if (one === undefined) {
      faults.push(`there is an outcome of ${kind} ${id}, which nobody has asked for before`);
      return;
    }
    one.outcomes += 1;
    const fault = one.judge(event);
    if (fault !== undefined) faults.push(`${one.what}: ${fault}`);
  };
  for (const event of events) {
    if (event.taskscheduled) {
      const awaited = facts.orchestrator !== "Forgetful" || event.taskscheduled.name !== "Noted";
      ask("task", event.eventid, { judge: judgeOfTask(event, facts.instanceId), awaited });
    } else if (event.taskcompleted ?? event.taskfailed) {
      outcome("task", (event.taskcompleted ?? event.taskfailed)!.taskscheduledid, event);
    } else if (event.suborchestrationinstancecreated) {
      ask("child", event.eventid, { judge: judgeOfChild(event), awaited: true });
    } else if (event.suborchestrationinstancecompleted ?? event.suborchestrationinstancefailed) {
      const ended = (event.suborchestrationinstancecompleted ?? event.suborchestrationinstancefailed)!;
      outcome("child", ended.taskscheduledid, event);
    } else if (event.timercreated) {
      ask("timer", event.eventid, { judge: judgeOfTimer(event, facts.clockMoved), awaited: true });
    } else if (event.timerfired) {
      outcome("timer", event.timerfired.timerid, event);
    }
  }
  for (const { what, outcomes, awaited } of asked.values()) {
    if (outcomes > 1) faults.push(`${what} has ${outcomes} outcomes`);
    if (outcomes === 0 && facts.completed && awaited) faults.push(`${what} has no outcome`);
  }
  const started = events.filter((event) => event.executionstarted).length;
  if (started !== 1) faults.push(`it was started ${started} times`);
  const ended = events.filter((event) => event.executioncompleted).length;
  if (ended !== 1) faults.push(`it has ended ${ended} times`);
  if (!events.at(-1)?.executioncompleted) faults.push("its end is not the last of its history");
  const early = facts.clockMoved ? 0 : earlyStartMs(events);
  if (early > 1) faults.push(`it began ${early} ms before it was to`);
  return faults.map((fault) => `${facts.instanceId}: ${fault}`);
}

/** How much earlier its first episode was than a scheduled start had it, milliseconds. */
function earlyStartMs(events: readonly HistoryEvent[]): number {
  const begun = events.find((event) => event.orchestratorstarted);
  const started = events.find((event) => event.executionstarted)?.executionstarted;
  return begun === undefined ? 0 : millisecondsOf(started?.scheduledstarttimestamp) - millisecondsOf(begun.timestamp);
}

/** How often each event was raised, by `NAME=DATA`. */
export function raisedIn(events: readonly HistoryEvent[]): Map<string, number> {
  const raised = new Map<string, number>();
  for (const { eventraised } of events) {
    if (eventraised) {
      const key = `${eventraised.name}=${eventraised.input?.value ?? ""}`;
      raised.set(key, (raised.get(key) ?? 0) + 1);
    }
  }
  return raised;
}

/** The ids of the sub-orchestrations that it has started. */
export function childrenIn(events: readonly HistoryEvent[]): string[] {
  return events.flatMap(({ suborchestrationinstancecreated: child }) => (child ? [child.instanceid] : []));
}

function judgeOfTask({ eventid, taskscheduled }: HistoryEvent, instanceId: string): Asked["judge"] {
  const { name, input } = taskscheduled!;
  return ({ taskcompleted, taskfailed }) => {
    const fails = name === "Moody" && failsMoodily(instanceId, eventid);
    if (fails !== (taskfailed !== undefined))
      return `${name} should have ${fails ? "failed" : "succeeded"}: ${taskfailed?.failuredetails?.errormessage ?? ""}`;

    return fails ? undefined : differs(taskcompleted?.result?.value, expectedResult(name, parsed(input?.value)));
  };
}

function judgeOfChild({ suborchestrationinstancecreated: child }: HistoryEvent): Asked["judge"] {
  const { output, status } = expectedEnd(child!.name, parsed(child!.input?.value));
  return ({ suborchestrationinstancecompleted: completed, suborchestrationinstancefailed: failed }) => {
    if ((completed === undefined) !== (status === "TERMINATED"))
      return `it should have ${status.toLowerCase()}: ${failed?.failuredetails?.errormessage ?? "it has completed"}`;

    return completed === undefined ? undefined : differs(completed.result?.value, output);
  };
}

function judgeOfTimer({ timercreated }: HistoryEvent, clockMoved: boolean): Asked["judge"] {
  const dueMs = millisecondsOf(timercreated?.fireat);
  return ({ timestamp }) => {
    const earlyMs = dueMs - millisecondsOf(timestamp);
    return earlyMs > 1 && !clockMoved ? `it has fired ${earlyMs} ms too early` : undefined;
  };
}

function differs(found: string | undefined, expected: unknown): string | undefined {
  const text = JSON.stringify(expected);
  return found === text ? undefined : `expected the result ${text}, found ${found ?? "none"}`;
}

function millisecondsOf(timestamp: { seconds: number; nanos: number } | undefined): number {
  return timestamp === undefined ? 0 : timestamp.seconds * 1_000 + timestamp.nanos / 1e6;
}

function parsed(text: string | undefined): unknown {
  return text === undefined || text === "" ? undefined : JSON.parse(text);
}
