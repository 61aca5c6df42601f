import type { MessageInitShape } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import { HistoryTally } from "../protocol/history-chunk.js";
import { momentsOf, type HistoryMoment } from "../protocol/history-moments.js";
import {
  CreateInstanceRequestSchema,
  GetInstanceRequestSchema,
  GetInstanceResponseSchema,
  ListInstanceIdsRequestSchema,
  ListInstanceIdsResponseSchema,
  PurgeInstancesRequestSchema,
  PurgeInstancesResponseSchema,
  QueryInstancesRequestSchema,
  QueryInstancesResponseSchema,
  SkipGracefulOrchestrationTerminationsRequestSchema,
  SkipGracefulOrchestrationTerminationsResponseSchema,
  StreamInstanceHistoryRequestSchema,
  TagEntrySchema,
  TerminateRequestSchema,
} from "../protocol/durabletask_pb.js";
import { readMessage, timestampOf, writeMessage } from "../protocol/messages.js";
import { Status } from "../protocol/orchestration-status.js";
import { stringValue } from "../protocol/wire.js";
import type { GrpcTarget } from "./grpc-target.js";
import { isServiceError, withRetry, type RetryPolicy } from "./call-retry.js";
import { Reachability } from "./reachability.js";
import { ClientPool } from "./client-pool.js";
import { instanceOf, stateOf } from "./instance-messages.js";
import { grpcError } from "./grpc-error.js";
import { isMissingCall } from "./missing-call.js";
import type {
  CallOptions,
  CompletedWindow,
  HistoryContents,
  InstanceIdPage,
  InstancePage,
  InstanceQuery,
  InstanceStart,
  InstanceState,
  OrchestrationClient,
} from "./orchestration-client.js";
import { StartAttempts, UnansweredStart } from "./unanswered-start.js";

/** The time limit of a call that does not wait for an orchestration, in milliseconds. */
const DEADLINE_MS = 30_000;

/** Short enough to tell an outage within five seconds. */
const PROBE_DEADLINE_MS = 2_000;
const PROBE_ID = "fanout-reachability-probe";

/** The client of TaskHubSidecarService. */
export class SidecarClient implements OrchestrationClient {
  readonly rpcErrors: Record<string, Record<string, number>> = {};
  readonly reachability = new Reachability(() => this.#probe());
  readonly #target: GrpcTarget;
  readonly #policy: RetryPolicy;
  readonly #pool: ClientPool;

  constructor(target: GrpcTarget, policy: RetryPolicy) {
    this.#target = target;
    this.#policy = policy;
    this.#pool = new ClientPool(target);
  }

  async startInstance(
    start: InstanceStart,
    { signal, again = false }: CallOptions & { readonly again?: boolean } = {},
  ): Promise<void> {
    const request = writeMessage(CreateInstanceRequestSchema, {
      instanceId: start.instanceId,
      name: start.name,
      input: start.input === undefined ? undefined : jsonValue(start.input),
      version: start.version === undefined ? undefined : stringValue(start.version),
      tags: Object.entries(start.tags ?? {}).map(([key, value]) => writeMessage(TagEntrySchema, { key, value })),
      // Present and empty, so that nothing is replaced. Without it, a repeated start would run an ended instance again.
      orchestrationIdReusePolicy: {},
    });
    const attempts = new StartAttempts(again);
    const attempt = async (): Promise<void> => {
      try {
        await this.#attempt("StartInstance", request, signal, DEADLINE_MS);
      } catch (error) {
        if (isServiceError(error)) {
          // Only this run uses its ids: an attempt that finds the id taken has found the start of an earlier attempt.
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
      const request = writeMessage(GetInstanceRequestSchema, { instanceId, getInputsAndOutputs: payloads });
      const limits = { signal, deadlineMs: DEADLINE_MS };
      return this.#ask("GetInstance", request, limits, (answer) => readInstance(answer, payloads));
    });
  }

  async waitForCompletion(instanceId: string, { signal }: CallOptions = {}): Promise<InstanceState | undefined> {
    return unlessNotFound(async () => {
      const request = writeMessage(GetInstanceRequestSchema, { instanceId, getInputsAndOutputs: true });
      return this.#ask("WaitForInstanceCompletion", request, { signal }, (answer) => readInstance(answer, true));
    });
  }

  async queryInstances(query: InstanceQuery, { signal }: CallOptions = {}): Promise<InstancePage> {
    const { payloads = false } = query;
    const request = writeMessage(QueryInstancesRequestSchema, {
      query: {
        runtimeStatus: query.statuses?.map((name) => Status[name]) ?? [],
        createdTimeFrom: timeOf(query.createdFromMs),
        createdTimeTo: timeOf(query.createdToMs),
        maxInstanceCount: query.pageSize ?? 100,
        continuationToken: query.continuationToken,
        instanceIdPrefix: query.instanceIdPrefix,
        fetchInputsAndOutputs: payloads,
      },
    });
    return this.#ask("QueryInstances", request, { signal, deadlineMs: DEADLINE_MS }, (answer) => {
      const { orchestrationState, continuationToken } = readMessage(QueryInstancesResponseSchema, answer);
      return {
        instances: orchestrationState.map((state) => stateOf(state, payloads)),
        // Some backends send an empty token after the last page.
        continuationToken: continuationToken || undefined,
      };
    });
  }

  async listInstanceIds(window: CompletedWindow, { signal }: CallOptions = {}): Promise<InstanceIdPage> {
    const request = writeMessage(ListInstanceIdsRequestSchema, {
      runtimeStatus: window.statuses.map((name) => Status[name]),
      completedTimeFrom: timeOf(window.completedFromMs),
      completedTimeTo: timeOf(window.completedToMs),
      pageSize: window.pageSize,
      lastInstanceKey: window.lastInstanceKey,
    });
    return this.#ask("ListInstanceIds", request, { signal, deadlineMs: DEADLINE_MS }, (answer) => {
      const { instanceIds, lastInstanceKey } = readMessage(ListInstanceIdsResponseSchema, answer);
      return { instanceIds, lastInstanceKey: lastInstanceKey || undefined };
    });
  }

  historyOf(
    instanceId: string,
    { signal, onBytes }: CallOptions & { readonly onBytes?: (bytes: number) => void } = {},
  ): Promise<HistoryContents> {
    return this.#streamHistory(instanceId, signal, () => {
      const tally = new HistoryTally();
      const onChunk = (chunk: Buffer): void => {
        onBytes?.(chunk.length);
        tally.add(chunk);
      };
      return { contents: tally, onChunk };
    });
  }

  momentsOf(
    instanceId: string,
    { signal, onChunk }: CallOptions & { readonly onChunk?: (chunk: { bytes: number; moments: number }) => void } = {},
  ): Promise<readonly HistoryMoment[]> {
    return this.#streamHistory(instanceId, signal, () => {
      const contents: HistoryMoment[] = [];
      const add = (chunk: Buffer): void => {
        const moments = momentsOf(chunk);
        onChunk?.({ bytes: chunk.length, moments: moments.length });
        for (const moment of moments) contents.push(moment);
      };
      return { contents, onChunk: add };
    });
  }

  async streamMoments(
    instanceId: string,
    begin: () => (part: readonly HistoryMoment[]) => void,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await this.#streamHistory(instanceId, signal, () => {
      const add = begin();
      return { contents: undefined, onChunk: (chunk) => add(momentsOf(chunk)) };
    });
  }

  async terminate(instanceId: string, reason: string, { signal }: CallOptions = {}): Promise<void> {
    const request = writeMessage(TerminateRequestSchema, { instanceId, output: jsonValue(reason) });
    await this.#call("TerminateInstance", request, signal, DEADLINE_MS);
  }

  async terminateBatch(
    instanceIds: readonly string[],
    reason: string,
    { signal }: CallOptions = {},
  ): Promise<readonly string[]> {
    const request = writeMessage(SkipGracefulOrchestrationTerminationsRequestSchema, {
      instanceBatch: { instanceIds: [...instanceIds] },
      reason: jsonValue(reason),
    });
    const limits = { signal, deadlineMs: DEADLINE_MS };
    return this.#ask("SkipGracefulOrchestrationTerminations", request, limits, (answer) => {
      return readMessage(SkipGracefulOrchestrationTerminationsResponseSchema, answer).unterminatedInstanceIds;
    });
  }

  async purge(instanceId: string, { signal }: CallOptions = {}): Promise<boolean> {
    return (await this.#purge({ instanceId }, signal)) > 0;
  }

  purgeBatch(instanceIds: readonly string[], { signal }: CallOptions = {}): Promise<number> {
    return this.#purge({ instanceBatch: { instanceIds: [...instanceIds] } }, signal);
  }

  close(): void {
    this.#pool.close();
  }

  /** `begin` is called for each attempt: what a broken one has read is dropped. */
  #streamHistory<T>(
    instanceId: string,
    signal: AbortSignal | undefined,
    begin: () => { readonly contents: T; readonly onChunk: (chunk: Buffer) => void },
  ): Promise<T> {
    const request = writeMessage(StreamInstanceHistoryRequestSchema, { instanceId });
    return this.#retry("StreamInstanceHistory", signal, async () => {
      const { contents, onChunk } = begin();
      const onMessage = (chunk: Buffer): void => readAnswer("StreamInstanceHistory", () => onChunk(chunk));
      const metadata = await this.#target.metadata("client");
      const options = { signal, timeoutMs: DEADLINE_MS, onMessage };
      await this.#pool.read(pathOf("StreamInstanceHistory"), request, metadata, options);
      return contents;
    });
  }

  #purge(what: MessageInitShape<typeof PurgeInstancesRequestSchema>, signal?: AbortSignal): Promise<number> {
    const request = writeMessage(PurgeInstancesRequestSchema, what);
    return this.#ask("PurgeInstances", request, { signal, deadlineMs: DEADLINE_MS }, (answer) => {
      return readMessage(PurgeInstancesResponseSchema, answer).deletedInstanceCount;
    });
  }

  /** Makes a call and reads its answer. An unreadable answer is an error of the backend. */
  #ask<T>(
    method: string,
    request: Buffer,
    { signal, deadlineMs }: { readonly signal?: AbortSignal | undefined; readonly deadlineMs?: number },
    read: (answer: Buffer) => T,
  ): Promise<T> {
    return this.#retry(method, signal, async () => {
      const answer = await this.#attempt(method, request, signal, deadlineMs);
      return readAnswer(method, () => read(answer));
    });
  }

  #call(method: string, request: Buffer, signal?: AbortSignal, deadlineMs?: number): Promise<Buffer> {
    return this.#retry(method, signal, () => this.#attempt(method, request, signal, deadlineMs));
  }

  #retry<T>(method: string, signal: AbortSignal | undefined, attempt: () => Promise<T>): Promise<T> {
    return withRetry(attempt, {
      ...this.#policy,
      signal,
      gate: this.reachability,
      onFailure: (error) => {
        // A missing call is an answer: making the call is the only way to learn it.
        if (isMissingCall(error)) return;
        const { code } = error;
        const name = status[code] ?? `code ${code}`;
        const ofCall = (this.rpcErrors[method] ??= {});
        ofCall[name] = (ofCall[name] ?? 0) + 1;
      },
    });
  }

  /** The answer is that there is no such instance. */
  #probe(): Promise<unknown> {
    const request = writeMessage(GetInstanceRequestSchema, { instanceId: PROBE_ID, getInputsAndOutputs: false });
    return this.#attempt("GetInstance", request, undefined, PROBE_DEADLINE_MS);
  }

  async #attempt(method: string, request: Buffer, signal?: AbortSignal, deadlineMs?: number): Promise<Buffer> {
    const metadata = await this.#target.metadata("client");
    return this.#pool.call(pathOf(method), request, metadata, { signal, timeoutMs: deadlineMs });
  }
}

function pathOf(method: string): string {
  return `/TaskHubSidecarService/${method}`;
}

/** @throws ServiceError if it cannot be read */
function readAnswer<T>(method: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw grpcError(status.INTERNAL, `its answer to ${method} cannot be read. ${(error as Error).message}`);
  }
}

function readInstance(answer: Buffer, payloads: boolean): InstanceState | undefined {
  return instanceOf(readMessage(GetInstanceResponseSchema, answer), payloads);
}

/** A value as JSON bytes, the form of payloads. */
function jsonValue(value: unknown): Uint8Array {
  return stringValue(JSON.stringify(value));
}

function timeOf(ms: number | undefined): ReturnType<typeof timestampOf> {
  return ms === undefined ? undefined : timestampOf(Math.floor(ms * 1000));
}

/** A backend without that instance says so in its answer, or with the error NOT_FOUND. */
async function unlessNotFound<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isServiceError(error) && error.code === status.NOT_FOUND) return undefined;
    throw error;
  }
}
