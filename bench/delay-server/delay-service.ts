import { raw, type Service } from "../../dist/emulator/service/call.js";
import {
  createInstanceResponse,
  getInstanceResponse,
  listInstanceIdsResponse,
  purgeInstancesResponse,
  queryInstancesResponse,
} from "../../dist/emulator/service/answers.js";
import {
  CreateInstanceRequest,
  GetInstanceRequest,
  InstanceBatch,
  InstanceQuery,
  ListInstanceIdsRequest,
  PurgeInstancesRequest,
  QueryInstancesRequest,
  TerminateRequest,
} from "../../dist/protocol/messages.js";
import { RpcError } from "../../dist/protocol/rpc-error.js";
import { Status } from "../../dist/protocol/orchestration-status.js";
import type { InstanceRow } from "../../dist/emulator/store/store.js";
import { EMPTY_BYTES } from "../../dist/protocol/empty-bytes.js";
import { decode, stringValue, type StringValueBytes } from "../../dist/protocol/wire.js";
import {
  FAN_OUT_FAN_IN_ORCHESTRATION,
  parseFanOutFanInInput,
} from "../../dist/orchestrations/fan-out-fan-in-contract.js";
import type { DelayedInstances, Instance, Work } from "./delayed-instances.js";

const DEFAULT_PAGE = 100;

/** What an instance of the emulator has, and of this server has not. */
const NOTHING_ELSE = {
  key: 0,
  taskHub: "",
  executionId: "",
  version: undefined,
  scheduledStartUs: 0,
  customStatus: undefined,
  failure: undefined,
  tasksCompleted: 0,
  parentId: undefined,
  parent: undefined,
  tags: [],
  trace: undefined,
};

/** The calls of TaskHubSidecarService that the server has. */
export function delayService(instances: DelayedInstances): Service {
  let lastWork: Work | undefined;
  /** The same value for the same input: a million instances would else keep a million of them. */
  const workOf = (name: string, input: StringValueBytes | undefined): Work => {
    if (lastWork?.name !== name || Buffer.compare(lastWork.input ?? EMPTY_BYTES, input ?? EMPTY_BYTES) !== 0)
      lastWork = { name, input, output: outputOf(name, input) };

    return lastWork;
  };
  return {
    Hello: raw((_call, answer) => answer(undefined, EMPTY_BYTES)),

    StartInstance: raw((call, answer) => {
      const { instanceId, name, input } = decode(CreateInstanceRequest, call.request);
      instances.start(instanceId, workOf(name, input));
      answer(undefined, createInstanceResponse(instanceId));
    }),

    GetInstance: raw((call, answer) => {
      const { instanceId, payloads } = decode(GetInstanceRequest, call.request);
      const instance = instances.find(instanceId);
      answer(undefined, getInstanceResponse(instance && rowOf(instance, payloads)));
    }),

    WaitForInstanceCompletion: raw((call, answer) => {
      const { instanceId, payloads } = decode(GetInstanceRequest, call.request);
      const instance = instances.find(instanceId);
      const tell = (): void => answer(undefined, getInstanceResponse(instance && rowOf(instance, payloads)));
      if (instance === undefined) tell();
      else call.onCancelled = instances.whenEnded(instance, tell);
    }),

    QueryInstances: raw((call, answer) => {
      const { query = EMPTY_BYTES } = decode(QueryInstancesRequest, call.request);
      const filter = decode(InstanceQuery, query);
      const { instanceIdPrefix = "", continuationToken = "" } = filter;
      const limit = filter.maxInstanceCount || DEFAULT_PAGE;
      const found = firstOf(limit, instances.withPrefix(instanceIdPrefix, continuationToken), (instance) => {
        const { status, createdUs } = instance;
        return matches(filter.statuses, status) && isWithin(createdUs, filter.createdFrom, filter.createdTo);
      });
      const rows = found.map((instance) => rowOf(instance, filter.payloads));
      answer(undefined, queryInstancesResponse(rows, found.length < limit ? undefined : found.at(-1)?.id));
    }),

    ListInstanceIds: raw((call, answer) => {
      const filter = decode(ListInstanceIdsRequest, call.request);
      const { completedFrom, completedTo, lastInstanceKey = "0" } = filter;
      const limit = filter.pageSize || DEFAULT_PAGE;
      const found = firstOf(limit, instances.endedFrom(completedFrom, Number(lastInstanceKey)), (instance) => {
        return matches(filter.statuses, instance.status) && isWithin(instance.endedUs, completedFrom, completedTo);
      });
      const ids = found.map(({ id }) => id);
      const last = found.length < limit ? undefined : found.at(-1);
      answer(undefined, listInstanceIdsResponse(ids, last && String(last.endNumber)));
    }),

    TerminateInstance: raw((call, answer) => {
      const { instanceId, output } = decode(TerminateRequest, call.request);
      instances.terminate(instanceId, output);
      answer(undefined, EMPTY_BYTES);
    }),

    PurgeInstances: raw((call, answer) => {
      const { instanceId, filter, batch = EMPTY_BYTES } = decode(PurgeInstancesRequest, call.request);
      if (filter !== undefined) throw new RpcError("UNIMPLEMENTED", "PurgeInstances: a filter is not supported.");
      const ids = instanceId === "" ? decode(InstanceBatch, batch).instanceIds : [instanceId];
      answer(undefined, purgeInstancesResponse(instances.purge(ids)));
    }),
  };
}

function outputOf(name: string, input: StringValueBytes | undefined): StringValueBytes | undefined {
  if (name !== FAN_OUT_FAN_IN_ORCHESTRATION) return undefined;
  const json = input && decode({ text: [1, "string"] }, input).text;
  const { iterations, parallelActivities } = parseFanOutFanInInput(json && JSON.parse(json));
  const totalActivities = iterations * parallelActivities;
  return stringValue(JSON.stringify({ totalActivities, elapsedTimeMs: 0, averageActivityTimeMs: 0 }));
}

function rowOf({ id, work, status, createdUs, endedUs, reason }: Instance, payloads: boolean): InstanceRow {
  const completed = status === Status.Completed;
  return {
    ...NOTHING_ELSE,
    instanceId: id,
    name: work.name,
    status,
    createdUs,
    updatedUs: endedUs || createdUs,
    completedUs: endedUs,
    input: payloads ? work.input : undefined,
    output: payloads ? (completed ? work.output : reason) : undefined,
  };
}

function matches(statuses: readonly number[], status: number): boolean {
  return statuses.length === 0 || statuses.includes(status);
}

/** An end of 0 is open. */
function isWithin(us: number, fromUs: number, toUs: number): boolean {
  return us >= fromUs && (toUs === 0 || us <= toUs);
}

function firstOf<T>(limit: number, values: Iterable<T>, holds: (value: T) => boolean): T[] {
  const found: T[] = [];
  for (const value of values) {
    if (holds(value)) found.push(value);
    if (found.length === limit) break;
  }
  return found;
}
