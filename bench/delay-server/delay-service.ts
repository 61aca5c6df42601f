import { unary, type Service } from "../../dist/emulator/service/call.js";
import {
  createInstanceResponse,
  getInstanceResponse,
  listInstanceIdsResponse,
  purgeInstancesResponse,
  queryInstancesResponse,
} from "../../dist/emulator/service/answers.js";
import {
  CreateInstanceRequestSchema,
  GetInstanceRequestSchema,
  ListInstanceIdsRequestSchema,
  PurgeInstancesRequestSchema,
  QueryInstancesRequestSchema,
  TerminateRequestSchema,
} from "../../dist/protocol/durabletask_pb.js";
import { microsecondsOf, readMessage } from "../../dist/protocol/messages.js";
import { RpcError } from "../../dist/protocol/rpc-error.js";
import { Status } from "../../dist/protocol/orchestration-status.js";
import type { InstanceRow } from "../../dist/emulator/store/store.js";
import { EMPTY_BYTES } from "../../dist/protocol/empty-bytes.js";
import { stringValue, textOf, type StringValueBytes } from "../../dist/protocol/wire.js";
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
    Hello: unary((_call, answer) => answer(undefined, EMPTY_BYTES)),

    StartInstance: unary((call, answer) => {
      const { instanceId, name, input } = readMessage(CreateInstanceRequestSchema, call.request);
      instances.start(instanceId, workOf(name, input));
      answer(undefined, createInstanceResponse(instanceId));
    }),

    GetInstance: unary((call, answer) => {
      const { instanceId, getInputsAndOutputs } = readMessage(GetInstanceRequestSchema, call.request);
      const instance = instances.find(instanceId);
      answer(undefined, getInstanceResponse(instance && rowOf(instance, getInputsAndOutputs)));
    }),

    WaitForInstanceCompletion: unary((call, answer) => {
      const { instanceId, getInputsAndOutputs } = readMessage(GetInstanceRequestSchema, call.request);
      const instance = instances.find(instanceId);
      const tell = (): void => answer(undefined, getInstanceResponse(instance && rowOf(instance, getInputsAndOutputs)));
      if (instance === undefined) tell();
      else call.onCancelled = instances.whenEnded(instance, tell);
    }),

    QueryInstances: unary((call, answer) => {
      const { query } = readMessage(QueryInstancesRequestSchema, call.request);
      const { instanceIdPrefix = "", continuationToken = "", runtimeStatus = [] } = query ?? {};
      const fromUs = microsecondsOf(query?.createdTimeFrom);
      const toUs = microsecondsOf(query?.createdTimeTo);
      const limit = query?.maxInstanceCount || DEFAULT_PAGE;
      const found = firstOf(limit, instances.withPrefix(instanceIdPrefix, continuationToken), (instance) => {
        const { status, createdUs } = instance;
        return matches(runtimeStatus, status) && isWithin(createdUs, fromUs, toUs);
      });
      const rows = found.map((instance) => rowOf(instance, query?.fetchInputsAndOutputs ?? false));
      answer(undefined, queryInstancesResponse(rows, found.length < limit ? undefined : found.at(-1)?.id));
    }),

    ListInstanceIds: unary((call, answer) => {
      const filter = readMessage(ListInstanceIdsRequestSchema, call.request);
      const { lastInstanceKey = "0" } = filter;
      const fromUs = microsecondsOf(filter.completedTimeFrom);
      const toUs = microsecondsOf(filter.completedTimeTo);
      const limit = filter.pageSize || DEFAULT_PAGE;
      const found = firstOf(limit, instances.endedFrom(fromUs, Number(lastInstanceKey)), (instance) => {
        return matches(filter.runtimeStatus, instance.status) && isWithin(instance.endedUs, fromUs, toUs);
      });
      const ids = found.map(({ id }) => id);
      const last = found.length < limit ? undefined : found.at(-1);
      answer(undefined, listInstanceIdsResponse(ids, last && String(last.endNumber)));
    }),

    TerminateInstance: unary((call, answer) => {
      const { instanceId, output } = readMessage(TerminateRequestSchema, call.request);
      instances.terminate(instanceId, output);
      answer(undefined, EMPTY_BYTES);
    }),

    PurgeInstances: unary((call, answer) => {
      const request = readMessage(PurgeInstancesRequestSchema, call.request);
      const { instanceId, instanceBatch } = request;
      if (request.purgeInstanceFilter !== undefined)
        throw new RpcError("UNIMPLEMENTED", "PurgeInstances: a filter is not supported.");

      const ids = instanceId === "" ? (instanceBatch?.instanceIds ?? []) : [instanceId];
      answer(undefined, purgeInstancesResponse(instances.purge(ids)));
    }),
  };
}

function outputOf(name: string, input: StringValueBytes | undefined): StringValueBytes | undefined {
  if (name !== FAN_OUT_FAN_IN_ORCHESTRATION) return undefined;
  const json = input && textOf(input);
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
