import { randomUUID } from "node:crypto";
import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { failStream, raw, serverStream, unary, type Methods } from "./grpc.js";
import {
  createInstanceResponse,
  getInstanceResponse,
  historyChunk,
  listInstanceIdsResponse,
  purgeInstancesResponse,
  queryInstancesResponse,
} from "./instance-messages.js";
import type { Lease } from "./leases.js";
import {
  AbandonRequest,
  ActivityResponse,
  CreateInstanceRequest,
  GetInstanceRequest,
  InstanceBatch,
  InstanceQuery,
  ListInstanceIdsRequest,
  PurgeInstanceFilter,
  PurgeInstancesRequest,
  QueryInstancesRequest,
  StreamInstanceHistoryRequest,
  TerminateRequest,
} from "./messages.js";
import { OrchestratorResponse, readActions, type Action } from "./orchestration.js";
import { RpcError } from "./rpc-error.js";
import { Status, isTerminal } from "./status.js";
import type { Store } from "./store.js";
import type { TaskHub } from "./task-hub.js";
import { EMPTY_MESSAGE, decode, type Message } from "./wire.js";
import { Worker } from "./worker.js";

/** What the calls of one connection share. */
export interface ServiceContext {
  readonly store: Store;
  /** The hub that a call's `taskhub` metadata names. Throws an RpcError if there is none of that name. */
  hubOf(call: { readonly metadata: ServerUnaryCall<Buffer, Buffer>["metadata"] }): TaskHub;
  /** What workers of this connection hold. */
  readonly leases: Set<Lease>;
}

const DEFAULT_PAGE = 100;
const MAX_PAGE = 10_000;
/** Events in a message of a history stream. */
const HISTORY_CHUNK = 500;

/** Methods of TaskHubSidecarService that this emulator has; gRPC answers UNIMPLEMENTED, by name, for all others. */
export const sidecarMethods: Methods = {
  Hello: unary,
  StartInstance: unary,
  GetInstance: unary,
  WaitForInstanceStart: unary,
  WaitForInstanceCompletion: unary,
  QueryInstances: unary,
  ListInstanceIds: unary,
  TerminateInstance: unary,
  PurgeInstances: unary,
  StreamInstanceHistory: serverStream,
  GetWorkItems: serverStream,
  CompleteActivityTask: unary,
  CompleteOrchestratorTask: unary,
  AbandonTaskActivityWorkItem: unary,
  AbandonTaskOrchestratorWorkItem: unary,
};

/** TaskHubSidecarService for the calls of one connection. */
export function sidecarService(context: ServiceContext): UntypedServiceImplementation {
  return {
    Hello: raw((_call, answer) => {
      answer(undefined, EMPTY_MESSAGE);
    }),

    StartInstance: raw((call, answer) => {
      const request = decode(CreateInstanceRequest, call.request);
      if (request.name === "") {
        throw new RpcError("INVALID_ARGUMENT", "StartInstance needs the name of an orchestrator.");
      }
      if (request.idReusePolicy !== undefined && request.idReusePolicy.length > 0) {
        throw new RpcError("UNIMPLEMENTED", "StartInstance: orchestrationIdReusePolicy is not supported.");
      }
      const start = {
        ...request,
        instanceId: request.instanceId === "" ? randomUUID() : request.instanceId,
        scheduledStartUs: request.scheduledStart,
      };
      context.hubOf(call).start(start, (error, id) => {
        answer(error, id === undefined ? undefined : createInstanceResponse(id));
      });
    }),

    GetInstance: raw((call, answer) => {
      const { instanceId, payloads } = decode(GetInstanceRequest, call.request);
      answer(undefined, getInstanceResponse(context.hubOf(call).find(instanceId, payloads)));
    }),

    WaitForInstanceStart: waitFor(context, (status) => status !== Status.Pending),

    WaitForInstanceCompletion: waitFor(context, isTerminal),

    QueryInstances: raw((call, answer) => {
      const { query } = decode(QueryInstancesRequest, call.request);
      const filter = decode(InstanceQuery, query ?? EMPTY_MESSAGE);
      const limit = pageSize(filter.maxInstanceCount);
      const rows = context.store.query({
        taskHub: context.hubOf(call).name,
        instanceIdPrefix: filter.instanceIdPrefix ?? "",
        statuses: filter.statuses,
        createdFromUs: filter.createdFrom,
        createdToUs: filter.createdTo,
        afterInstanceId: filter.continuationToken ?? "",
        limit,
        payloads: filter.payloads,
      });
      answer(undefined, queryInstancesResponse(rows, rows.length < limit ? undefined : rows.at(-1)?.instanceId));
    }),

    ListInstanceIds: raw((call, answer) => {
      const filter = decode(ListInstanceIdsRequest, call.request);
      const limit = pageSize(filter.pageSize);
      const rows = context.store.listCompleted({
        taskHub: context.hubOf(call).name,
        statuses: filter.statuses,
        completedFromUs: filter.completedFrom,
        completedToUs: filter.completedTo,
        after: parsePlace(filter.lastInstanceKey),
        limit,
      });
      const last = rows.length < limit ? undefined : rows.at(-1);
      const ids = rows.map(({ instanceId }) => instanceId);
      answer(undefined, listInstanceIdsResponse(ids, last && `${last.completedUs}:${last.key}`));
    }),

    TerminateInstance: raw((call, answer) => {
      const { instanceId, output } = decode(TerminateRequest, call.request);
      context.hubOf(call).terminate(instanceId, output, empty(answer));
    }),

    PurgeInstances: raw((call, answer) => {
      const request = decode(PurgeInstancesRequest, call.request);
      const answerPurged = (error: Error | undefined, deleted: number | undefined): void => {
        answer(error, deleted === undefined ? undefined : purgeInstancesResponse(deleted));
      };
      if (request.filter !== undefined) {
        const { createdFrom, createdTo, statuses } = decode(PurgeInstanceFilter, request.filter);
        const window = { createdFromUs: createdFrom, createdToUs: createdTo, statuses };
        context.hubOf(call).purgeMatching(window, answerPurged);
        return;
      }
      const batch = request.batch === undefined ? [] : decode(InstanceBatch, request.batch).instanceIds;
      const ids = request.instanceId === "" ? batch : [request.instanceId];
      context.hubOf(call).purge(ids, answerPurged);
    }),

    StreamInstanceHistory: (call: ServerWritableStream<Buffer, Uint8Array>) => {
      streamHistory(context, call).catch((error: unknown) => {
        failStream(call, error);
      });
    },

    GetWorkItems: (call: ServerWritableStream<Buffer, Uint8Array>) => {
      serveWorker(context, call);
    },

    CompleteActivityTask: raw((call, answer) => {
      const completion = decode(ActivityResponse, call.request);
      context.hubOf(call).completeActivity(completion.completionToken, completion, empty(answer));
    }),

    CompleteOrchestratorTask: raw((call, answer) => {
      const completion = decode(OrchestratorResponse, call.request);
      const hub = context.hubOf(call);
      if (completion.isPartial || completion.requiresHistory) {
        const field = completion.isPartial ? "isPartial" : "requiresHistory";
        hub.giveBack(completion.completionToken);
        throw new RpcError("UNIMPLEMENTED", `CompleteOrchestratorTask: ${field} is not supported.`);
      }
      const actions = actionsOf(hub, completion);
      hub.completeEpisode(completion.completionToken, { ...completion, actions }, empty(answer));
    }),

    AbandonTaskActivityWorkItem: abandon(context),

    AbandonTaskOrchestratorWorkItem: abandon(context),
  };
}

function waitFor(context: ServiceContext, condition: (status: number) => boolean): ReturnType<typeof raw> {
  return raw((call, answer) => {
    const { instanceId, payloads } = decode(GetInstanceRequest, call.request);
    const hub = context.hubOf(call);
    const cancel = hub.waitFor(instanceId, condition, () => {
      answer(undefined, getInstanceResponse(hub.find(instanceId, payloads)));
    });
    call.on("cancelled", cancel);
  });
}

function abandon(context: ServiceContext): ReturnType<typeof raw> {
  return raw((call, answer) => {
    const { completionToken } = decode(AbandonRequest, call.request);
    if (!context.hubOf(call).giveBack(completionToken)) {
      throw new RpcError("NOT_FOUND", `The completion token '${completionToken}' is stale.`);
    }
    answer(undefined, EMPTY_MESSAGE);
  });
}

function serveWorker(context: ServiceContext, call: ServerWritableStream<Buffer, Uint8Array>): void {
  let hub: TaskHub;
  try {
    hub = context.hubOf(call);
  } catch (error) {
    failStream(call, error);
    return;
  }
  const workerId = String(call.metadata.get("workerid")[0] ?? "");
  const worker = new Worker(
    workerId,
    {
      write: (item) => call.write(item),
      end: () => {
        call.end();
      },
    },
    context.leases,
  );
  const leave = (): void => {
    hub.removeWorker(worker);
  };
  call.on("drain", () => {
    hub.unblockWorker(worker);
  });
  call.on("cancelled", leave);
  call.on("error", leave);
  call.on("close", leave);
  // The headers tell the worker that it is connected, long before the first work item may come.
  call.sendMetadata(new Metadata());
  hub.addWorker(worker);
}

async function streamHistory(context: ServiceContext, call: ServerWritableStream<Buffer, Uint8Array>): Promise<void> {
  const hub = context.hubOf(call);
  const { instanceId } = decode(StreamInstanceHistoryRequest, call.request);
  const row = hub.find(instanceId, false);
  if (row === undefined) {
    throw new RpcError("NOT_FOUND", `There is no instance '${instanceId}' in task hub '${hub.name}'.`);
  }
  const events = context.store.events(row.key);
  for (let from = 0; from < events.length && !call.cancelled; from += HISTORY_CHUNK) {
    if (!call.write(historyChunk(events.slice(from, from + HISTORY_CHUNK)))) {
      await new Promise((resolve) => call.once("drain", resolve).once("cancelled", resolve));
    }
  }
  call.end();
}

/** Reads the actions before anything is changed: one that cannot be read is this completion's fault alone. */
function actionsOf(hub: TaskHub, completion: Message<typeof OrchestratorResponse>): Action[] {
  try {
    return readActions(completion.actions);
  } catch (error) {
    hub.giveBack(completion.completionToken);
    const reason = error instanceof Error ? error.message : String(error);
    throw new RpcError("INVALID_ARGUMENT", `CompleteOrchestratorTask: an action cannot be read: ${reason}.`);
  }
}

/** Answers a call whose response has no fields. */
function empty(
  answer: (error: Error | undefined, value: Uint8Array | undefined) => void,
): (error: Error | undefined) => void {
  return (error) => {
    answer(error, error === undefined ? EMPTY_MESSAGE : undefined);
  };
}

function pageSize(asked: number): number {
  return asked <= 0 ? DEFAULT_PAGE : Math.min(asked, MAX_PAGE);
}

function parsePlace(token: string | undefined): { completedUs: number; key: number } | undefined {
  const [completedUs, key] = (token ?? "").split(":").map(Number);
  return completedUs === undefined || key === undefined ? undefined : { completedUs, key };
}
