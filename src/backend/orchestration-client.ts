import type { Reachability } from "./reachability.js";
import type { HistoryMoment } from "../protocol/history-moments.js";
import type { StatusName } from "../protocol/orchestration-status.js";

/** The status of an instance, in the words of the HTTP contract. */
export type RuntimeStatus = StatusName;

/**
 * One instance as the backend reports it. Times are milliseconds since the epoch, with microseconds as their fraction.
 */
export interface InstanceState {
  readonly instanceId: string;
  readonly name: string;
  readonly status: RuntimeStatus;
  /** Undefined if the backend does not report it, as `lastUpdatedMs`. */
  readonly createdMs: number | undefined;
  readonly lastUpdatedMs: number | undefined;
  /** Absent while it runs, and if the backend does not report it. */
  readonly completedMs: number | undefined;
  /** JSON text; absent unless payloads were requested. */
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly customStatus: string | undefined;
  readonly failure: { readonly type: string; readonly message: string } | undefined;
  /** It was read without payloads: an absent one may exist. */
  readonly withoutPayloads?: true;
}

export interface InstancePage {
  readonly instances: readonly InstanceState[];
  /** Pass it to get the next page; absent on the last page. */
  readonly continuationToken: string | undefined;
}

export interface InstanceQuery {
  readonly instanceIdPrefix?: string;
  readonly statuses?: readonly RuntimeStatus[];
  /** Milliseconds since the epoch, on the backend's clock. Both ends belong to the window. */
  readonly createdFromMs?: number | undefined;
  readonly createdToMs?: number | undefined;
  readonly pageSize?: number;
  readonly continuationToken?: string | undefined;
  readonly payloads?: boolean;
}

export interface CompletedWindow {
  readonly statuses: readonly RuntimeStatus[];
  /** Milliseconds since the epoch, on the backend's clock. Both ends belong to the window. */
  readonly completedFromMs?: number | undefined;
  readonly completedToMs?: number | undefined;
  readonly pageSize: number;
  readonly lastInstanceKey?: string | undefined;
}

export interface InstanceIdPage {
  /** In the order of their completion. */
  readonly instanceIds: readonly string[];
  /** Pass it to get the next page; absent on the last page. */
  readonly lastInstanceKey: string | undefined;
}

/** The content of the history of an instance's current execution. */
export interface HistoryContents {
  /** The number of events of each type, such as `TaskScheduled`. Empty: there is no such instance. */
  readonly events: Readonly<Record<string, number>>;
  /** The input of the execution as JSON text; absent if it has none. */
  readonly input: string | undefined;
}

/** An instance to start. */
export interface InstanceStart {
  readonly instanceId: string;
  readonly name: string;
  readonly input: unknown;
  readonly version?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The calls that fanout makes on a backend. Each is repeated while the backend is away (UNAVAILABLE), so that a run
 * survives a restart. Other errors are thrown unchanged, as grpc-js `ServiceError`s.
 */
export interface OrchestrationClient {
  /**
   * Resolves when the backend has accepted the start. ALREADY_EXISTS after an unanswered attempt counts as accepted;
   * `again` says that there was an earlier attempt. An existing instance is never replaced, whether it runs or has
   * ended.
   * Rejects with UnansweredStart if no answer came.
   */
  startInstance(start: InstanceStart, options?: CallOptions & { readonly again?: boolean }): Promise<void>;
  /** Resolves with undefined if there is no such instance. */
  getInstance(
    instanceId: string,
    options?: CallOptions & { readonly payloads?: boolean },
  ): Promise<InstanceState | undefined>;
  /** Resolves with payloads when the instance has ended, or with undefined if there is none. */
  waitForCompletion(instanceId: string, options?: CallOptions): Promise<InstanceState | undefined>;
  queryInstances(query: InstanceQuery, options?: CallOptions): Promise<InstancePage>;
  /** Lists the ids of the instances that completed in a window of time. Not every backend has the call. */
  listInstanceIds(window: CompletedWindow, options?: CallOptions): Promise<InstanceIdPage>;
  /**
   * Reads a whole history, including the events that wait behind it. Calls `onBytes` for each part that arrives. Not
   * every backend has the call.
   */
  historyOf(
    instanceId: string,
    options?: CallOptions & { readonly onBytes?: (bytes: number) => void },
  ): Promise<HistoryContents>;
  /**
   * Reads when and why each thing of a history happened, in its order, and what waits behind it. Empty: there is no such
   * instance. `onChunk` is told of each part as it comes. Not every backend has the call.
   */
  momentsOf(
    instanceId: string,
    options?: CallOptions & { readonly onChunk?: (chunk: { bytes: number; moments: number }) => void },
  ): Promise<readonly HistoryMoment[]>;
  /**
   * The same, part by part, for whoever keeps less than all of it. `begin` is called for each attempt: what a broken one
   * was told counts for nothing.
   */
  streamMoments(
    instanceId: string,
    begin: () => (part: readonly HistoryMoment[]) => void,
    options?: CallOptions,
  ): Promise<void>;
  terminate(instanceId: string, reason: string, options?: CallOptions): Promise<void>;
  /**
   * Ends up to 500 instances with one call, at once and without a worker. Not every backend has it. Resolves with the
   * ids of those that were not running.
   */
  terminateBatch(instanceIds: readonly string[], reason: string, options?: CallOptions): Promise<readonly string[]>;
  purge(instanceId: string, options?: CallOptions): Promise<boolean>;
  /** Purges up to 500 instances with one call. Not every backend has it. Resolves with the number that were deleted. */
  purgeBatch(instanceIds: readonly string[], options?: CallOptions): Promise<number>;
  /** Failed attempts so far, by call and by gRPC status, including those that a retry repaired. */
  readonly rpcErrors: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Whether the backend answers these calls. */
  readonly reachability: Reachability;
}
