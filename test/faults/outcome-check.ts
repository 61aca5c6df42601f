import { setTimeout } from "node:timers/promises";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { RawConnection } from "../support/emulator/raw-connection.js";
import { keyOf, type ClientLog } from "./client-log.js";
import { expectedEnd, isPurged, lastStart } from "./expectations.js";
import { childrenIn, historyFaults } from "./history-check.js";
import { noteFaults } from "./note-check.js";
import { HUBS, type Script } from "./scripts.js";
import { stepFaults } from "./step-check.js";

const POLL_MS = 40;

export interface OutcomeFacts {
  readonly scripts: readonly Script[];
  readonly log: ClientLog;
  readonly clockMoved: boolean;
  /** How long instances may take to end from now on. */
  readonly patienceMs: number;
}

type State = ReturnType<InstanceType<typeof pb.OrchestrationState>["toObject"]>;

/** What there is on one hub in the end. */
interface View {
  readonly connection: RawConnection;
  readonly states: ReadonlyMap<string, State>;
  /** Ids of those that have been looked at. */
  readonly seen: Set<string>;
  readonly facts: OutcomeFacts;
}

/** What is wrong with what a seed has come to, once its faults are over: asked of the emulator itself. */
export async function outcomeFaults(socket: string, facts: OutcomeFacts): Promise<string[]> {
  const faults = await Promise.all(
    HUBS.map(async (hub) => {
      const connection = new RawConnection(`unix:${socket}`, hub);
      try {
        const ofHub = await hubFaults(connection, facts, (script) => script.hub === hub);
        return ofHub.map((fault) => `${hub}/${fault}`);
      } finally {
        connection.close();
      }
    }),
  );
  // Activities that nobody waits for may still be at it.
  return [...faults.flat(), ...(await noteFaults(facts))];
}

async function hubFaults(
  connection: RawConnection,
  facts: OutcomeFacts,
  isOnIt: (script: Script) => boolean,
): Promise<string[]> {
  const stuck = await waitForEnds(connection, facts.patienceMs);
  if (stuck.length > 0) return await Promise.all(stuck.map((state) => describeStuck(connection, state)));
  const states = new Map((await allInstances(connection)).map((state) => [state.instanceid, state]));
  const view: View = { connection, states, seen: new Set(), facts };
  const faults: string[] = [];
  for (const script of facts.scripts.filter(isOnIt)) {
    const presence = presenceOf(script, facts);
    if (presence === "there" || (presence === "either" && states.has(script.instanceId)))
      faults.push(...(await familyFaults(view, script, script.instanceId)), ...(await copyFaults(view, script)));
  }
  for (const id of states.keys()) if (!view.seen.has(id)) faults.push(`${id}: it is there, and should not be`);

  return faults;
}

/** Whether an instance has to be there in the end, which its hub may have been emptied of. */
function presenceOf(script: Script, { scripts, log }: OutcomeFacts): "there" | "gone" | "either" {
  if (isPurged(script)) return "gone";
  const emptying = scripts.find(({ hub, steps }) => hub === script.hub && steps.some((step) => step.do === "recreate"));
  if (emptying === undefined || emptying === script) return "there";
  const key = keyOf(
    emptying,
    emptying.steps.findIndex((step) => step.do === "recreate"),
  );
  const start = keyOf(script, 0);
  if (log.askedAt.get(start)! > log.acknowledgedAt.get(key)!) return "there";
  return log.acknowledgedAt.get(start)! < log.askedAt.get(key)! ? "gone" : "either";
}

/** Of an instance and of what it has started. */
async function familyFaults(view: View, script: Script, rootId: string): Promise<string[]> {
  const { connection, states, seen, facts } = view;
  const { orchestrator, input } = lastStart(script);
  const faults: string[] = [];
  const left = [rootId];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    seen.add(id);
    const state = states.get(id);
    if (state === undefined) {
      faults.push(`${id}: it was accepted, and is not there`);
      continue;
    }
    const history = await connection.history(id);
    // What continues as new has another input in the end.
    const { status, output } = expectedEnd(
      state.name,
      id === rootId ? input : JSON.parse(state.input?.value ?? "null"),
    );
    const completed = pb.OrchestrationStatus.ORCHESTRATION_STATUS_COMPLETED === state.orchestrationstatus;
    if (completed !== (status === "COMPLETED") || state.output?.value !== JSON.stringify(output)) {
      const found = `${statusName(state)}, ${state.output?.value} ${state.failuredetails?.errormessage ?? ""}`;
      faults.push(`${id}: expected ${status}, ${JSON.stringify(output)}, found ${found}`);
    }
    if (id === rootId && state.name !== orchestrator) faults.push(`${id}: it is ${state.name}, not ${orchestrator}`);
    const about = { instanceId: id, orchestrator: state.name, completed, clockMoved: facts.clockMoved };
    faults.push(...historyFaults(history, about));
    left.push(...childrenIn(history));
    if (id === script.instanceId) faults.push(...stepFaults(script, history, facts.log));
  }
  return faults;
}

/** Of the instances that were started anew of one under ids of their own. */
async function copyFaults(view: View, script: Script): Promise<string[]> {
  const place = script.steps.findIndex((step) => step.do === "restart" && step.withNewId);
  if (place === -1) return [];
  const key = keyOf(script, place);
  const copies = [...view.states.values()].filter(({ instanceid, input }) => {
    return instanceid !== script.instanceId && input?.value === JSON.stringify(script.input);
  });
  const faults: string[] = [];
  for (const { instanceid } of copies) faults.push(...(await familyFaults(view, script, instanceid)));

  const told = view.facts.log.acknowledged.get(key);
  if (!copies.some(({ instanceid }) => instanceid === told))
    faults.push(`${script.instanceId}: it was said to be started anew as ${told}, which is not there`);

  const asked = view.facts.log.asked.get(key) ?? 0;
  if (copies.length > asked) {
    faults.push(
      `${script.instanceId}: it was started anew ${copies.length} times, and that was asked for ${asked} times`,
    );
  }
  return faults;
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
  return `${state.instanceid}: it does not end: ${state.name}, ${statusName(state)}, … ${types.join(" ")}`;
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
