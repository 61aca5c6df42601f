import { randomUUID } from "node:crypto";
import type { GroupCommit } from "./group-commit.js";
import { raw, type Call, type Handler, type Service } from "./grpc.js";
import {
  createInstanceResponse,
  getInstanceResponse,
  historyChunk,
  listInstanceIdsResponse,
  purgeInstancesResponse,
  queryInstancesResponse,
} from "./instance-messages.js";
import type { Lease } from "./leases.js";
import { REMEMBERS_HISTORY } from "./link-server.js";
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
  readonly commits: GroupCommit;
  /** The hub that a call's `taskhub` metadata names. Throws an RpcError if there is none of that name. */
  hubOf(call: Pick<Call, "header">): TaskHub;
  /** What workers of this connection hold. */
  readonly leases: Set<Lease>;
}

const DEFAULT_PAGE = 100;
const MAX_PAGE = 10_000;
/** Events in a message of a history stream. */
const HISTORY_CHUNK = 500;

/** What this emulator has of TaskHubSidecarService, for the calls of one connection. */
export function sidecarService(context: ServiceContext): Service {
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
      answerRead(context, answer, getInstanceResponse(context.hubOf(call).find(instanceId, payloads)));
    }),

    WaitForInstanceStart: waitFor(context, (status) => status !== Status.Pending),

    WaitForInstanceCompletion: waitFor(context, isTerminal),

    QueryInstances: raw((call, answer) => {
      const { query } = decode(QueryInstancesRequest, call.request);
      const filter = decode(InstanceQuery, query ?? EMPTY_MESSAGE);
      const { rows, next } = context.store.query({
        taskHub: context.hubOf(call).name,
        instanceIdPrefix: filter.instanceIdPrefix ?? "",
        statuses: filter.statuses,
        createdFromUs: filter.createdFrom,
        createdToUs: filter.createdTo,
        afterInstanceId: filter.continuationToken ?? "",
        limit: pageSize(filter.maxInstanceCount),
        payloads: filter.payloads,
      });
      answerRead(context, answer, queryInstancesResponse(rows, next));
    }),

    ListInstanceIds: raw((call, answer) => {
      const filter = decode(ListInstanceIdsRequest, call.request);
      const { rows, next } = context.store.listCompleted({
        taskHub: context.hubOf(call).name,
        statuses: filter.statuses,
        completedFromUs: filter.completedFrom,
        completedToUs: filter.completedTo,
        after: parsePlace(filter.lastInstanceKey),
        limit: pageSize(filter.pageSize),
      });
      const ids = rows.map(({ instanceId }) => instanceId);
      answerRead(context, answer, listInstanceIdsResponse(ids, next && `${next.completedUs}:${next.key}`));
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

    StreamInstanceHistory: (call) => {
      streamHistory(context, call).catch((error: unknown) => {
        call.fail(error);
      });
    },

    GetWorkItems: (call) => {
      serveWorker(context, call);
    },

    CompleteActivityTask: raw((call, answer) => {
      const completion = decode(ActivityResponse, call.request);
      context.hubOf(call).completeActivity(completion.completionToken, completion, empty(answer));
    }),

    CompleteOrchestratorTask: raw((call, answer) => {
      const completion = decode(OrchestratorResponse, call.request);
      const hub = context.hubOf(call);
      if (completion.isPartial) {
        hub.giveBack(completion.completionToken);
        throw new RpcError("UNIMPLEMENTED", "CompleteOrchestratorTask: isPartial is not supported.");
      }
      if (completion.requiresHistory) {
        // The worker no longer has what it was known to have: it gets the whole history.
        giveBack(hub, completion.completionToken);
        answer(undefined, EMPTY_MESSAGE);
        return;
      }
      const actions = actionsOf(hub, completion);
      hub.completeEpisode(completion.completionToken, { ...completion, actions }, empty(answer));
    }),

    AbandonTaskActivityWorkItem: abandon(context),

    AbandonTaskOrchestratorWorkItem: abandon(context),
  };
}

function waitFor(context: ServiceContext, condition: (status: number) => boolean): Handler {
  return raw((call, answer) => {
    const { instanceId, payloads } = decode(GetInstanceRequest, call.request);
    const hub = context.hubOf(call);
    const cancel = hub.waitFor(instanceId, condition, () => {
      answerRead(context, answer, getInstanceResponse(hub.find(instanceId, payloads)));
    });
    call.onCancelled = cancel;
  });
}

function abandon(context: ServiceContext): Handler {
  return raw((call, answer) => {
    const { completionToken } = decode(AbandonRequest, call.request);
    giveBack(context.hubOf(call), completionToken);
    answer(undefined, EMPTY_MESSAGE);
  });
}

function giveBack(hub: TaskHub, token: string): void {
  if (!hub.giveBack(token)) {
    throw new RpcError("NOT_FOUND", `The completion token '${token}' is stale.`);
  }
}

function serveWorker(context: ServiceContext, call: Call): void {
  const hub = context.hubOf(call);
  const worker = new Worker(
    call.header("workerid") ?? "",
    {
      write: (item) => call.write(item),
      end: () => {
        call.end();
      },
    },
    context.leases,
    call.header(REMEMBERS_HISTORY) !== undefined,
  );
  call.onDrain = () => {
    hub.unblockWorker(worker);
  };
  call.onCancelled = () => {
    hub.removeWorker(worker);
  };
  // The headers tell the worker that it is connected, long before the first work item may come.
  call.open();
  hub.addWorker(worker);
}

async function streamHistory(context: ServiceContext, call: Call): Promise<void> {
  const hub = context.hubOf(call);
  const { instanceId } = decode(StreamInstanceHistoryRequest, call.request);
  const row = hub.find(instanceId, false);
  if (row === undefined) {
    throw new RpcError("NOT_FOUND", `There is no instance '${instanceId}' in task hub '${hub.name}'.`);
  }
  const events = context.store.events(row.key);
  await new Promise<void>((resolve, reject) => {
    context.commits.whenDurable((lost) => {
      if (lost === undefined) {
        resolve();
      } else {
        reject(lost);
      }
    });
  });
  for (let from = 0; from < events.length && !call.isCancelled; from += HISTORY_CHUNK) {
    if (!call.write(historyChunk(events.slice(from, from + HISTORY_CHUNK)))) {
      await new Promise<void>((resolve) => {
        call.onDrain = resolve;
        call.onCancelled = resolve;
      });
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

/** Answers with what was read once that is on disk: the store shows what is committed, and nobody is to see it before. */
function answerRead(
  { commits }: ServiceContext,
  answer: (error: Error | undefined, value: Uint8Array | undefined) => void,
  response: Uint8Array,
): void {
  commits.whenDurable((lost) => {
    answer(lost, lost === undefined ? response : undefined);
  });
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
