import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { randomUUID } from "node:crypto";
import { idReuse } from "../hub/id-reuse.js";
import { unary, type Call, type Handler, type Service } from "./call.js";
import {
  createInstanceResponse,
  getInstanceResponse,
  historyChunk,
  listInstanceIdsResponse,
  purgeInstancesResponse,
  queryInstancesResponse,
  skipTerminationsResponse,
} from "./answers.js";
import {
  CreateInstanceRequestSchema,
  CreateTaskHubRequestSchema,
  GetInstanceRequestSchema,
  ListInstanceIdsRequestSchema,
  PurgeInstancesRequestSchema,
  QueryInstancesRequestSchema,
  RaiseEventRequestSchema,
  ReasonedRequestSchema,
  RestartInstanceRequestSchema,
  SkipGracefulOrchestrationTerminationsRequestSchema,
  StreamInstanceHistoryRequestSchema,
  TerminateRequestSchema,
  type InstanceBatch,
} from "../../protocol/durabletask_pb.js";
import { microsecondsOf, readMessage } from "../../protocol/messages.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { answerRead, empty, encoded, hubName, type ServiceContext } from "./service-context.js";
import { Status, isTerminal } from "../../protocol/orchestration-status.js";
import type { TaskHub } from "../hub/task-hub.js";
import { checkTexts, textOf } from "../../protocol/wire.js";

const DEFAULT_PAGE = 100;
const MAX_PAGE = 10_000;
/** Ids that a batch may hold, as the protocol has it for the terminations that are not graceful. */
const MAX_BATCH = 500;
/** Bytes of events behind which a message of a history stream ends: gRPC takes messages of 4 MiB by default. */
const HISTORY_CHUNK_BYTES = 1_048_576;

/** What an event takes beside its bytes while it waits to be streamed. */
const EVENT_BYTES = 128;

/** What clients call of TaskHubSidecarService, for the calls of one connection. */
export function clientService(context: ServiceContext): Service {
  return {
    Hello: unary((call, answer) => {
      // A worker that is told of it here says so, and once.
      context.hubOf(call);
      answer(undefined, EMPTY_BYTES);
    }),

    StartInstance: unary((call, answer) => {
      const request = readMessage(CreateInstanceRequestSchema, call.request);
      if (request.name === "")
        throw new RpcError("INVALID_ARGUMENT", "StartInstance needs the name of an orchestrator.");

      // They are read when the instance is dispatched, and by its workers: what cannot be is to fail here.
      checkTexts(request.version, request.input);
      const { name, version, input, executionId, tags, parentTraceContext: traceContext } = request;
      const instanceId = request.instanceId === "" ? randomUUID() : request.instanceId;
      const scheduledStartUs = microsecondsOf(request.scheduledStartTimestamp);
      const start = { instanceId, name, version, input, executionId, tags, traceContext, scheduledStartUs };
      const reuse = idReuse(request.orchestrationIdReusePolicy);
      context.hubOf(call).clients.start(start, reuse, encoded(answer, createInstanceResponse));
    }),

    GetInstance: (call) => {
      const { instanceId, getInputsAndOutputs } = readMessage(GetInstanceRequestSchema, call.request);
      answerRead(
        context,
        call,
        getInstanceResponse(hubFor(context, call, instanceId).find(instanceId, getInputsAndOutputs)),
      );
    },

    WaitForInstanceStart: waitFor(context, (status) => status !== Status.Pending),

    WaitForInstanceCompletion: waitFor(context, isTerminal),

    RaiseEvent: unary((call, answer) => {
      const { instanceId, name, input } = readMessage(RaiseEventRequestSchema, call.request);
      if (name === "") throw new RpcError("INVALID_ARGUMENT", "RaiseEvent needs the name of an event.");

      checkTexts(input);
      hubFor(context, call, instanceId).clients.raiseEvent(instanceId, { name, input }, empty(answer));
    }),

    TerminateInstance: unary((call, answer) => {
      const { instanceId, output, recursive } = readMessage(TerminateRequestSchema, call.request);
      checkTexts(output);
      hubFor(context, call, instanceId).clients.terminate(instanceId, output, recursive, empty(answer));
    }),

    SuspendInstance: unary((call, answer) => {
      const { instanceId, reason } = readMessage(ReasonedRequestSchema, call.request);
      checkTexts(reason);
      hubFor(context, call, instanceId).clients.suspend(instanceId, reason, empty(answer));
    }),

    ResumeInstance: unary((call, answer) => {
      const { instanceId, reason } = readMessage(ReasonedRequestSchema, call.request);
      checkTexts(reason);
      hubFor(context, call, instanceId).clients.resume(instanceId, reason, empty(answer));
    }),

    RewindInstance: unary((call, answer) => {
      const { instanceId, reason } = readMessage(ReasonedRequestSchema, call.request);
      checkTexts(reason);
      hubFor(context, call, instanceId).clients.rewind(instanceId, reason, empty(answer));
    }),

    RestartInstance: unary((call, answer) => {
      const { instanceId, restartWithNewInstanceId } = readMessage(RestartInstanceRequestSchema, call.request);
      hubFor(context, call, instanceId).clients.restart(
        instanceId,
        restartWithNewInstanceId,
        encoded(answer, createInstanceResponse),
      );
    }),

    SkipGracefulOrchestrationTerminations: unary((call, answer) => {
      const { instanceBatch, reason } = readMessage(SkipGracefulOrchestrationTerminationsRequestSchema, call.request);
      checkTexts(reason);
      const ids = idsOf("SkipGracefulOrchestrationTerminations", instanceBatch);
      hubFor(context, call, ...ids).clients.endAtOnce(ids, reason, encoded(answer, skipTerminationsResponse));
    }),

    QueryInstances: (call) => {
      const { query } = readMessage(QueryInstancesRequestSchema, call.request);
      const { taskHubNames = [], runtimeStatus = [], maxInstanceCount = 0 } = query ?? {};
      const hub = context.hubOf(call);
      if (taskHubNames.length > 0 && !taskHubNames.map(textOf).includes(hub.name)) {
        call.end(queryInstancesResponse([], undefined));
        return;
      }
      const { rows, next } = context.store.query({
        taskHub: hub.name,
        instanceIdPrefix: query?.instanceIdPrefix ?? "",
        statuses: runtimeStatus,
        createdFromUs: microsecondsOf(query?.createdTimeFrom),
        createdToUs: microsecondsOf(query?.createdTimeTo),
        afterInstanceId: query?.continuationToken ?? "",
        limit: pageSize(maxInstanceCount),
        payloads: query?.fetchInputsAndOutputs ?? false,
      });
      answerRead(context, call, queryInstancesResponse(rows, next));
    },

    ListInstanceIds: (call) => {
      const filter = readMessage(ListInstanceIdsRequestSchema, call.request);
      const { rows, next } = context.store.listCompleted({
        taskHub: context.hubOf(call).name,
        statuses: filter.runtimeStatus,
        completedFromUs: microsecondsOf(filter.completedTimeFrom),
        completedToUs: microsecondsOf(filter.completedTimeTo),
        after: parsePlace(filter.lastInstanceKey),
        limit: pageSize(filter.pageSize),
      });
      const ids = rows.map(({ instanceId }) => instanceId);
      answerRead(context, call, listInstanceIdsResponse(ids, next && `${next.completedUs}:${next.key}`));
    },

    PurgeInstances: unary((call, answer) => {
      const request = readMessage(PurgeInstancesRequestSchema, call.request);
      const { purge } = context.hubOf(call);
      const answerPurged = encoded(answer, purgeInstancesResponse);
      if (request.purgeInstanceFilter !== undefined) {
        const { createdTimeFrom, createdTimeTo, runtimeStatus: statuses } = request.purgeInstanceFilter;
        const createdFromUs = microsecondsOf(createdTimeFrom);
        const createdToUs = microsecondsOf(createdTimeTo);
        purge.matching({ createdFromUs, createdToUs, statuses }, request.recursive, answerPurged);
        return;
      }
      const batch = request.instanceBatch?.instanceIds ?? [];
      const ids = request.instanceId === "" ? batch : [request.instanceId];
      hubFor(context, call, ...ids).purge.byIds(ids, request.recursive, answerPurged);
    }),

    StreamInstanceHistory: (call) => {
      streamHistory(context, call).catch((error: unknown) => {
        call.fail(error);
      });
    },

    CreateTaskHub: unary((call, answer) => {
      const { recreateIfExists } = readMessage(CreateTaskHubRequestSchema, call.request);
      context.hubs.create(hubName(call), recreateIfExists, empty(answer));
    }),

    DeleteTaskHub: unary((call, answer) => {
      context.hubs.delete(context.hubOf(call), empty(answer));
    }),
  };
}

/** The hub of a call that names these instances. Throws an RpcError if there is none, or if an id is none. */
function hubFor(context: ServiceContext, call: Call, ...instanceIds: readonly string[]): TaskHub {
  const hub = context.hubOf(call);
  for (const instanceId of instanceIds) hub.checkId(instanceId);

  return hub;
}

function waitFor(context: ServiceContext, condition: (status: number) => boolean): Handler {
  return (call) => {
    const { instanceId, getInputsAndOutputs } = readMessage(GetInstanceRequestSchema, call.request);
    const hub = hubFor(context, call, instanceId);
    call.onCancelled = hub.waitFor(instanceId, condition, () => {
      answerRead(context, call, getInstanceResponse(hub.find(instanceId, getInputsAndOutputs)));
    });
  };
}

/** A history that does not exist is empty, as it is on the Scheduler by the SDK's account. */
async function streamHistory(context: ServiceContext, call: Call): Promise<void> {
  const { instanceId, executionId, forWorkItemProcessing } = readMessage(
    StreamInstanceHistoryRequestSchema,
    call.request,
  );
  const hub = hubFor(context, call, instanceId);
  const row = hub.find(instanceId, false);
  if (row === undefined || (executionId !== undefined && executionId !== "" && executionId !== row.executionId)) {
    call.end();
    return;
  }
  // What waits comes as new events with the work item itself.
  const waiting = forWorkItemProcessing ? [] : context.store.waiting(row.key);
  const events = [...context.store.history(row.key), ...waiting];
  call.reserve(events.reduce((bytes, event) => bytes + event.length + EVENT_BYTES, 0));
  await new Promise<void>((resolve, reject) => {
    context.commits.whenDurable((lost) => {
      if (lost === undefined) resolve();
      else reject(lost);
    });
  });
  for (const chunk of chunksOf(events)) {
    if (call.isCancelled) return;

    if (!call.write(historyChunk(chunk))) {
      await new Promise<void>((resolve) => {
        call.onDrain = resolve;
        call.onCancelled = resolve;
      });
    }
  }
  call.end();
}

function* chunksOf(events: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let chunk: Uint8Array[] = [];
  let bytes = 0;
  for (const event of events) {
    if (chunk.length > 0 && bytes + event.length > HISTORY_CHUNK_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(event);
    bytes += event.length;
  }
  if (chunk.length > 0) yield chunk;
}

function idsOf(method: string, batch: InstanceBatch | undefined): readonly string[] {
  const instanceIds = batch?.instanceIds ?? [];
  if (instanceIds.length > MAX_BATCH) {
    throw new RpcError(
      "INVALID_ARGUMENT",
      `${method} takes ${MAX_BATCH} instance ids at most, not ${instanceIds.length}.`,
    );
  }
  return instanceIds;
}

function pageSize(asked: number): number {
  return asked <= 0 ? DEFAULT_PAGE : Math.min(asked, MAX_PAGE);
}

function parsePlace(key: string | undefined): { completedUs: number; key: number } | undefined {
  if (key === undefined || key === "") return undefined;

  const [, completedUs, row] = /^(\d+):(\d+)$/u.exec(key) ?? [];
  if (completedUs === undefined || row === undefined)
    throw new RpcError("INVALID_ARGUMENT", `ListInstanceIds: the lastInstanceKey '${key}' is none of this emulator's.`);

  return { completedUs: Number(completedUs), key: Number(row) };
}
