import { setTimeout } from "node:timers/promises";
import { pb } from "../../src/wire/sidecar-stubs.js";
import { RawConnection } from "../emulator/raw-connection.js";
import { keyOf, type ClientLog } from "./client-log.js";
import { expectedEnd, isPurged } from "./expectations.js";
import { childrenIn, historyFaults, raisedIn, type HistoryEvent } from "./history-check.js";
import type { Script } from "./scripts.js";

const POLL_MS = 40;

export interface OutcomeFacts {
  readonly scripts: readonly Script[];
  readonly log: ClientLog;
  readonly clockMoved: boolean;
  /** How long instances may take to end from now on. */
  readonly patienceMs: number;
}

type State = ReturnType<InstanceType<typeof pb.OrchestrationState>["toObject"]>;

/** What is wrong with what a seed has come to, once its faults are over: asked of the emulator itself. */
export async function outcomeFaults(socket: string, facts: OutcomeFacts): Promise<string[]> {
  const connection = new RawConnection(`unix:${socket}`, "default");
  try {
    const stuck = await waitForEnds(connection, facts.patienceMs);
    if (stuck.length > 0) {
      return await Promise.all(stuck.map((state) => describeStuck(connection, state)));
    }
    const states = new Map((await allInstances(connection)).map((state) => [state.instanceid, state]));
    const faults: string[] = [];
    const expected = new Set<string>();
    for (const script of facts.scripts) {
      if (isPurged(script)) continue;
      faults.push(...(await familyFaults(connection, states, script, facts, expected)));
    }
    for (const id of states.keys()) {
      if (!expected.has(id)) faults.push(`${id}: it is there, and should not be`);
    }
    return faults;
  } finally {
    connection.close();
  }
}

/** Of an instance and of what it has started. */
async function familyFaults(
  connection: RawConnection,
  states: ReadonlyMap<string, State>,
  script: Script,
  facts: OutcomeFacts,
  expected: Set<string>,
): Promise<string[]> {
  const faults: string[] = [];
  const left = [script.instanceId];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    expected.add(id);
    const state = states.get(id);
    if (state === undefined) {
      faults.push(`${id}: it was accepted, and is not there`);
      continue;
    }
    const history = await connection.history(id);
    const { status, output } = expectedEnd(state.name, inputOf(script, state));
    const completed = pb.OrchestrationStatus.ORCHESTRATION_STATUS_COMPLETED === state.orchestrationstatus;
    if (completed !== (status === "COMPLETED") || state.output?.value !== JSON.stringify(output)) {
      const found = `${statusName(state)}, ${state.output?.value} ${state.failuredetails?.errormessage ?? ""}`;
      faults.push(`${id}: expected ${status}, ${JSON.stringify(output)}, found ${found}`);
    }
    faults.push(...historyFaults(history, { instanceId: id, completed, clockMoved: facts.clockMoved }));
    left.push(...childrenIn(history));
    if (id === script.instanceId) faults.push(...stepFaults(script, history, facts.log));
  }
  return faults;
}

/** Acknowledged steps of which the history of the instance does not tell, and events that nobody has raised. */
function stepFaults({ instanceId, orchestrator, steps }: Script, history: readonly HistoryEvent[], log: ClientLog) {
  // Of that one only the last execution is left.
  if (orchestrator === "Collect") return [];
  const faults: string[] = [];
  const raised = raisedIn(history);
  for (const [place, step] of steps.entries()) {
    const key = keyOf(instanceId, place);
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

/** What continues as new has another input in the end. */
function inputOf(script: Script, state: State): unknown {
  return state.instanceid === script.instanceId ? script.input : JSON.parse(state.input?.value ?? "null");
}

/** Resolves with those that have not ended. */
async function waitForEnds(connection: RawConnection, patienceMs: number): Promise<State[]> {
  for (const startedMs = performance.now(); ; await setTimeout(POLL_MS)) {
    const running = (await allInstances(connection)).filter((state) => !ENDED.has(state.orchestrationstatus));
    if (running.length === 0 || performance.now() - startedMs > patienceMs) return running;
  }
}

async function allInstances(connection: RawConnection): Promise<State[]> {
  const request = new pb.QueryInstancesRequest();
  const query = new pb.InstanceQuery();
  query.setFetchinputsandoutputs(true);
  query.setMaxinstancecount(10_000);
  request.setQuery(query);
  const response = await connection.call("QueryInstances", request, pb.QueryInstancesResponse);
  return response.toObject().orchestrationstateList;
}

async function describeStuck(connection: RawConnection, state: State): Promise<string> {
  const history = await connection.history(state.instanceid);
  const types = history.slice(-12).map((event) => {
    const [type] = Object.entries(event).find(([name, value]) => !PLAIN.has(name) && value !== undefined) ?? ["?"];
    return `${type}(${event.eventid})`;
  });
  return `${state.instanceid}: it does not end: ${statusName(state)}, … ${types.join(" ")}`;
}

const PLAIN: ReadonlySet<string> = new Set(["eventid", "timestamp"]);

const ENDED: ReadonlySet<number> = new Set([
  pb.OrchestrationStatus.ORCHESTRATION_STATUS_COMPLETED,
  pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED,
  pb.OrchestrationStatus.ORCHESTRATION_STATUS_TERMINATED,
]);

function statusName({ orchestrationstatus }: State): string {
  const [name = "?"] = Object.entries(pb.OrchestrationStatus).find(([, value]) => value === orchestrationstatus) ?? [];
  return name.replace("ORCHESTRATION_STATUS_", "");
}
