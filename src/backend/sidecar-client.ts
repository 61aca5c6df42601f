import { status } from "@grpc/grpc-js";
import { HistoryTally } from "../protocol/history-chunk.js";
import { decodeMessage, pb, type MessageType } from "../protocol/sidecar-stubs.js";
import type { GrpcTarget } from "./backend.js";
import { isServiceError, withRetry, type RetryPolicy } from "./call-retry.js";
import { ClientPool } from "./client-pool.js";
import { STATUSES, instanceOf, stateOf, stringValue, timestampOf } from "./instance-messages.js";
import { grpcError } from "./grpc-error.js";
import { isMissingCall } from "./missing-call.js";
import type {
  CallOptions,
  CompletedWindow,
  HistoryContents,
  InstanceIdPage,
  InstancePage,
  InstanceQuery,
  InstanceState,
  OrchestrationClient,
} from "./orchestration-client.js";
import { StartAttempts, UnansweredStart } from "./unanswered-start.js";

/** Milliseconds that a call may take which does not wait for an orchestration. */
const DEADLINE_MS = 30_000;

interface Message {
  serializeBinary(): Uint8Array;
}

/** The client's side of TaskHubSidecarService. */
export class SidecarClient implements OrchestrationClient {
  readonly rpcErrors: Record<string, Record<string, number>> = {};
  readonly #target: GrpcTarget;
  readonly #policy: RetryPolicy;
  readonly #pool: ClientPool;

  constructor(target: GrpcTarget, policy: RetryPolicy) {
    this.#target = target;
    this.#policy = policy;
    this.#pool = new ClientPool(target);
  }

  async startInstance(
    start: { readonly instanceId: string; readonly name: string; readonly input: unknown },
    { signal, again = false }: CallOptions & { readonly again?: boolean } = {},
  ): Promise<void> {
    const request = new pb.CreateInstanceRequest();
    request.setInstanceid(start.instanceId);
    request.setName(start.name);
    // Present and empty: it replaces nothing. Without one a start that is repeated would run again what has ended.
    request.setOrchestrationidreusepolicy(new pb.OrchestrationIdReusePolicy());
    if (start.input !== undefined) request.setInput(stringValue(JSON.stringify(start.input)));

    const attempts = new StartAttempts(again);
    const attempt = async (): Promise<void> => {
      try {
        await this.#attempt("StartInstance", request, signal, DEADLINE_MS);
      } catch (error) {
        if (isServiceError(error)) {
          // The ids of a run are its own: an attempt that finds one taken has found what the one before it started.
          if (attempts.isUnanswered && error.code === status.ALREADY_EXISTS) return;
          attempts.failed(error);
        }
        throw error;
      }
    };
    try {
      await this.#retry("StartInstance", signal, attempt);
    } catch (error) {
      throw attempts.isUnanswered && signal?.aborted !== true ? new UnansweredStart(error) : error;
    }
  }

  async getInstance(
    instanceId: string,
    { signal, payloads = false }: CallOptions & { readonly payloads?: boolean } = {},
  ): Promise<InstanceState | undefined> {
    return unlessNotFound(async () => {
      const request = getInstance(instanceId, payloads);
      return instanceOf(await this.#ask("GetInstance", request, pb.GetInstanceResponse, signal, DEADLINE_MS), payloads);
    });
  }

  async waitForCompletion(instanceId: string, { signal }: CallOptions = {}): Promise<InstanceState | undefined> {
    return unlessNotFound(async () => {
      const request = getInstance(instanceId, true);
      return instanceOf(await this.#ask("WaitForInstanceCompletion", request, pb.GetInstanceResponse, signal), true);
    });
  }

  async queryInstances(query: InstanceQuery, { signal }: CallOptions = {}): Promise<InstancePage> {
    const { payloads = false } = query;
    const filter = new pb.InstanceQuery();
    filter.setRuntimestatusList(query.statuses?.map((name) => STATUSES[name]) ?? []);
    filter.setMaxinstancecount(query.pageSize ?? 100);
    filter.setFetchinputsandoutputs(payloads);
    if (query.instanceIdPrefix !== undefined) filter.setInstanceidprefix(stringValue(query.instanceIdPrefix));

    filter.setCreatedtimefrom(timestampOf(query.createdFromMs));
    filter.setCreatedtimeto(timestampOf(query.createdToMs));
    if (query.continuationToken !== undefined) filter.setContinuationtoken(stringValue(query.continuationToken));

    const request = new pb.QueryInstancesRequest();
    request.setQuery(filter);
    const response = await this.#ask("QueryInstances", request, pb.QueryInstancesResponse, signal, DEADLINE_MS);
    return {
      instances: response.getOrchestrationstateList().map((state) => stateOf(state, payloads)),
      // Some backends send an empty token behind the last page.
      continuationToken: response.getContinuationtoken()?.getValue() || undefined,
    };
  }

  async listInstanceIds(window: CompletedWindow, { signal }: CallOptions = {}): Promise<InstanceIdPage> {
    const request = new pb.ListInstanceIdsRequest();
    request.setRuntimestatusList(window.statuses.map((name) => STATUSES[name]));
    request.setCompletedtimefrom(timestampOf(window.completedFromMs));
    request.setCompletedtimeto(timestampOf(window.completedToMs));
    request.setPagesize(window.pageSize);
    if (window.lastInstanceKey !== undefined) request.setLastinstancekey(stringValue(window.lastInstanceKey));
    const response = await this.#ask("ListInstanceIds", request, pb.ListInstanceIdsResponse, signal, DEADLINE_MS);
    return {
      instanceIds: response.getInstanceidsList(),
      lastInstanceKey: response.getLastinstancekey()?.getValue() || undefined,
    };
  }

  historyOf(
    instanceId: string,
    { signal, onBytes }: CallOptions & { readonly onBytes?: (bytes: number) => void } = {},
  ): Promise<HistoryContents> {
    const request = new pb.StreamInstanceHistoryRequest();
    request.setInstanceid(instanceId);
    return this.#retry("StreamInstanceHistory", signal, async () => {
      const tally = new HistoryTally();
      const onMessage = (chunk: Buffer): void => {
        onBytes?.(chunk.length);
        readAnswer("StreamInstanceHistory", () => tally.add(chunk));
      };
      const metadata = await this.#target.metadata("client");
      const options = { signal, timeoutMs: DEADLINE_MS, onMessage };
      await this.#pool.read(pathOf("StreamInstanceHistory"), request.serializeBinary(), metadata, options);
      return tally;
    });
  }

  async terminate(instanceId: string, reason: string, { signal }: CallOptions = {}): Promise<void> {
    const request = new pb.TerminateRequest();
    request.setInstanceid(instanceId);
    request.setOutput(stringValue(JSON.stringify(reason)));
    await this.#call("TerminateInstance", request, signal, DEADLINE_MS);
  }

  async terminateBatch(
    instanceIds: readonly string[],
    reason: string,
    { signal }: CallOptions = {},
  ): Promise<readonly string[]> {
    const request = new pb.SkipGracefulOrchestrationTerminationsRequest();
    request.setInstancebatch(batchOf(instanceIds));
    request.setReason(stringValue(JSON.stringify(reason)));
    const bytes = await this.#call("SkipGracefulOrchestrationTerminations", request, signal, DEADLINE_MS);
    return pb.SkipGracefulOrchestrationTerminationsResponse.deserializeBinary(bytes).getUnterminatedinstanceidsList();
  }

  async purge(instanceId: string, { signal }: CallOptions = {}): Promise<boolean> {
    const request = new pb.PurgeInstancesRequest();
    request.setInstanceid(instanceId);
    return (await this.#purge(request, signal)) > 0;
  }

  purgeBatch(instanceIds: readonly string[], { signal }: CallOptions = {}): Promise<number> {
    const request = new pb.PurgeInstancesRequest();
    request.setInstancebatch(batchOf(instanceIds));
    return this.#purge(request, signal);
  }

  close(): void {
    this.#pool.close();
  }

  async #purge(request: InstanceType<typeof pb.PurgeInstancesRequest>, signal?: AbortSignal): Promise<number> {
    const response = await this.#ask("PurgeInstances", request, pb.PurgeInstancesResponse, signal, DEADLINE_MS);
    return response.getDeletedinstancecount();
  }

  /** A call with an answer that is read. One that cannot be is an error of the backend as others are. */
  #ask<T>(method: string, request: Message, type: MessageType<T>, signal?: AbortSignal, deadlineMs?: number) {
    return this.#retry(method, signal, async () => {
      const bytes = await this.#attempt(method, request, signal, deadlineMs);
      return readAnswer(method, () => decodeMessage(type, bytes));
    });
  }

  #call(method: string, request: Message, signal?: AbortSignal, deadlineMs?: number): Promise<Buffer> {
    return this.#retry(method, signal, () => this.#attempt(method, request, signal, deadlineMs));
  }

  #retry<T>(method: string, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    return withRetry(attempt, {
      ...this.#policy,
      signal,
      onFailure: (error) => {
        // Whether the backend has a call is learned by making it: that it has not is an answer.
        if (isMissingCall(error)) return;
        const { code } = error;
        const name = status[code] ?? `code ${code}`;
        const ofCall = (this.rpcErrors[method] ??= {});
        ofCall[name] = (ofCall[name] ?? 0) + 1;
      },
    });
  }

  async #attempt(method: string, request: Message, signal?: AbortSignal, deadlineMs?: number): Promise<Buffer> {
    const metadata = await this.#target.metadata("client");
    return this.#pool.call(pathOf(method), request.serializeBinary(), metadata, { signal, timeoutMs: deadlineMs });
  }
}

function pathOf(method: string): string {
  return `/TaskHubSidecarService/${method}`;
}

/** @throws ServiceError where it cannot be read */
function readAnswer<T>(method: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw grpcError(status.INTERNAL, `its answer to ${method} cannot be read. ${(error as Error).message}`);
  }
}

function batchOf(instanceIds: readonly string[]): InstanceType<typeof pb.InstanceBatch> {
  const batch = new pb.InstanceBatch();
  batch.setInstanceidsList([...instanceIds]);
  return batch;
}

function getInstance(instanceId: string, payloads: boolean): InstanceType<typeof pb.GetInstanceRequest> {
  const request = new pb.GetInstanceRequest();
  request.setInstanceid(instanceId);
  request.setGetinputsandoutputs(payloads);
  return request;
}

/** A backend that has no such instance says so in its answer, or by the error NOT_FOUND. */
async function unlessNotFound<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isServiceError(error) && error.code === status.NOT_FOUND) return undefined;
    throw error;
  }
}
