import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import { errorText } from "../../format/error-text.js";
import { unary, type Call, type Handler, type Service } from "./call.js";
import { heldToken } from "../dispatch/leases.js";
import { REMEMBERS_HISTORY } from "../../protocol/link.js";
import {
  AbandonTaskRequestSchema,
  ActivityResponseSchema,
  GetWorkItemsRequestSchema,
  OrchestratorResponseSchema,
  WorkerCapability,
  type OrchestratorResponse,
  type WorkItemFilter,
} from "../../protocol/durabletask_pb.js";
import { readMessage } from "../../protocol/messages.js";
import { checkAction } from "./check-completion.js";
import { readActions, type Action } from "../../protocol/orchestrator-actions.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { empty, type ServiceContext } from "./service-context.js";
import { checkTexts, type StringValueBytes } from "../../protocol/wire.js";
import type { TaskHub } from "../hub/task-hub.js";
import type { WorkFilter } from "../dispatch/work.js";
import { Worker, type WorkerOptions } from "../dispatch/worker.js";

/** What workers call of TaskHubSidecarService, for the calls of one connection. */
export function workerService(context: ServiceContext): Service {
  return {
    GetWorkItems: (call) => {
      serveWorker(context, call);
    },

    CompleteActivityTask: unary((call, answer) => {
      const { instanceId, taskId, completionToken, result, failureDetails } = readMessage(
        ActivityResponseSchema,
        call.request,
      );
      const token = completionToken || heldToken(context.heldItems, instanceId, taskId);
      const hub = context.hubOf(call);
      checkResult(hub, token, result);
      hub.completeActivity(token, { result, failure: failureDetails }, empty(answer));
    }),

    CompleteOrchestratorTask: unary((call, answer) => {
      const response = readMessage(OrchestratorResponseSchema, call.request);
      const token = response.completionToken || heldToken(context.heldItems, response.instanceId);
      const hub = context.hubOf(call);
      refuseParts(hub, token, response);
      if (response.requiresHistory) {
        // The worker no longer has what it was known to have: it gets the whole history.
        if (!hub.giveBack(token, "episode")) throw staleToken(token);

        answer(undefined, EMPTY_BYTES);
        return;
      }
      const actions = actionsOf(hub, token, response);
      const { customStatus, orchestrationTraceContext: traceContext } = response;
      hub.completeEpisode(token, { actions, customStatus, traceContext }, empty(answer));
    }),

    AbandonTaskActivityWorkItem: abandon(context),

    AbandonTaskOrchestratorWorkItem: abandon(context),
  };
}

function abandon(context: ServiceContext): Handler {
  return unary((call, answer) => {
    const { completionToken } = readMessage(AbandonTaskRequestSchema, call.request);
    if (!context.hubOf(call).abandon(completionToken)) throw staleToken(completionToken);

    answer(undefined, EMPTY_BYTES);
  });
}

function staleToken(token: string): RpcError {
  return new RpcError("NOT_FOUND", `The completion token '${token}' is stale.`);
}

function serveWorker(context: ServiceContext, call: Call): void {
  const hub = context.hubOf(call);
  const worker = new Worker({
    id: call.header("workerid") ?? "",
    stream: {
      write: (...parts) => call.write(...parts),
      get itemsWaiting() {
        return call.messagesWaiting;
      },
      end: () => {
        call.end();
      },
    },
    connectionItems: context.heldItems,
    ...askedFor(call),
  });
  call.onDrain = () => {
    hub.unblockWorker(worker);
  };
  call.onCancelled = () => {
    hub.cancelWorker(worker);
  };
  // The headers tell the worker that it is connected, long before the first work item may come.
  call.open();
  hub.addWorker(worker);
}

/** What a worker's request says of the work that it takes. */
function askedFor(call: Call): Omit<WorkerOptions, "id" | "stream" | "connectionItems"> {
  const request = readMessage(GetWorkItemsRequestSchema, call.request);
  const {
    maxConcurrentOrchestrationWorkItems: mostEpisodes,
    maxConcurrentActivityWorkItems: mostActivities,
    workItemFilters: filters,
  } = request;
  return {
    streamsHistory: request.capabilities.includes(WorkerCapability.HISTORY_STREAMING),
    keepsResults: request.keepsResults,
    remembersHistory: call.header(REMEMBERS_HISTORY) !== undefined && !request.replaysAlways,
    limits: {
      ...(mostEpisodes > 0 && { episode: mostEpisodes }),
      ...(mostActivities > 0 && { activity: mostActivities }),
    },
    filters: filters && { episode: filterOf(filters.orchestrations), activity: filterOf(filters.activities) },
  };
}

/** A name may come more than once: the worker takes the versions of all. */
function filterOf(filters: readonly WorkItemFilter[]): WorkFilter {
  const byName = Map.groupBy(filters, ({ name }) => name);
  return new Map(
    Array.from(byName, ([name, all]) => {
      const takesAny = all.some(({ versions }) => versions.length === 0);
      return [name, new Set(takesAny ? [] : all.flatMap(({ versions }) => versions))];
    }),
  );
}

/** Completions in parts, or of a part of the events, would be taken for whole ones: they are refused, with nothing done. */
function refuseParts(hub: TaskHub, token: string, response: OrchestratorResponse): void {
  const part = response.isPartial ? "isPartial" : response.numEventsProcessed && "numEventsProcessed";
  if (part !== undefined) {
    hub.abandon(token, "episode");
    throw new RpcError("UNIMPLEMENTED", `CompleteOrchestratorTask: ${part} is not supported.`);
  }
}

function checkResult(hub: TaskHub, token: string, result: StringValueBytes | undefined): void {
  try {
    checkTexts(result);
  } catch (error) {
    hub.abandon(token, "activity");
    throw new RpcError("INVALID_ARGUMENT", `CompleteActivityTask: the result cannot be read: ${errorText(error)}.`);
  }
}

/** Reads the actions before anything is changed: one that cannot be read is this completion's fault alone. */
function actionsOf(hub: TaskHub, token: string, response: OrchestratorResponse): Action[] {
  try {
    const actions = readActions(response.actions);
    actions.forEach(checkAction);
    checkTexts(response.customStatus);
    return actions;
  } catch (error) {
    hub.abandon(token, "episode");
    const reason = errorText(error);
    throw new RpcError(
      "INVALID_ARGUMENT",
      `CompleteOrchestratorTask: an action or the custom status cannot be read: ${reason}.`,
    );
  }
}
