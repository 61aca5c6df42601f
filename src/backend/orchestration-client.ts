import type { StatusName } from "../protocol/orchestration-status.js";
/** Status of an instance, in the words of the HTTP contract. */
export type RuntimeStatus = StatusName;

/** One instance as the backend tells it. Times are milliseconds since the epoch, with the microseconds as fraction. */
export interface InstanceState {
  readonly instanceId: string;
  readonly name: string;
  readonly status: RuntimeStatus;
  readonly createdMs: number;
  readonly lastUpdatedMs: number;
  /** Absent while it runs, and on backends that do not tell. */
  readonly completedMs: number | undefined;
  /** JSON text; absent unless payloads were asked for. */
  readonly input: string | undefined;
  readonly output: string | undefined;
  readonly customStatus: string | undefined;
  readonly failure: { readonly type: string; readonly message: string } | undefined;
  /** It was read without payloads: that one is absent does not say that there is none. */
  readonly withoutPayloads?: true;
}

export interface InstancePage {
  readonly instances: readonly InstanceState[];
  /** Hand it back to get the next page; absent on the last. */
  readonly continuationToken: string | undefined;
}

export interface InstanceQuery {
  readonly instanceIdPrefix?: string;
  readonly statuses?: readonly RuntimeStatus[];
  /** Milliseconds since the epoch, on the backend's clock; both ends belong to the window. */
  readonly createdFromMs?: number | undefined;
  readonly createdToMs?: number | undefined;
  readonly pageSize?: number;
  readonly continuationToken?: string | undefined;
  readonly payloads?: boolean;
}

export interface CompletedWindow {
  readonly statuses: readonly RuntimeStatus[];
  /** Milliseconds since the epoch, on the backend's clock; both ends belong to the window. */
  readonly completedFromMs?: number | undefined;
  readonly completedToMs?: number | undefined;
  readonly pageSize: number;
  readonly lastInstanceKey?: string | undefined;
}

export interface InstanceIdPage {
  /** In the order of their completion. */
  readonly instanceIds: readonly string[];
  /** Hand it back to get the next page; absent on the last. */
  readonly lastInstanceKey: string | undefined;
}

/** What the history of an instance's current execution holds. */
export interface HistoryContents {
  /** Events by the name of their type, such as `TaskScheduled`. Empty: there is no such instance. */
  readonly events: Readonly<Record<string, number>>;
  /** JSON text that the execution was started with; absent where there was none. */
  readonly input: string | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * The calls that fanout makes on a backend. Each is tried again while the backend is away (UNAVAILABLE), so that a
 * restart in the middle of a run is survived. Other errors are thrown as they came, as grpc-js `ServiceError`s.
 */
export interface OrchestrationClient {
  /**
   * Resolves when the backend has accepted the start. ALREADY_EXISTS after an attempt without an answer counts as
   * accepted, and `again` says that there was one before: an instance of that id is never replaced, whether it runs or
   * has ended. Rejects with UnansweredStart where the answer has not come.
   */
  startInstance(
    start: { readonly instanceId: string; readonly name: string; readonly input: unknown },
    options?: CallOptions & { readonly again?: boolean },
  ): Promise<void>;
  /** Resolves with undefined if there is no instance of that id. */
  getInstance(
    instanceId: string,
    options?: CallOptions & { readonly payloads?: boolean },
  ): Promise<InstanceState | undefined>;
  /** Resolves with payloads when the instance has ended, or with undefined if there is none of that id. */
  waitForCompletion(instanceId: string, options?: CallOptions): Promise<InstanceState | undefined>;
  queryInstances(query: InstanceQuery, options?: CallOptions): Promise<InstancePage>;
  /** The instances that completed in a window of time, by id alone. Not every backend has the call. */
  listInstanceIds(window: CompletedWindow, options?: CallOptions): Promise<InstanceIdPage>;
  /**
   * Reads all of a history, and what waits behind it. `onBytes` is told of each part as it comes. Not every backend has
   * the call.
   */
  historyOf(
    instanceId: string,
    options?: CallOptions & { readonly onBytes?: (bytes: number) => void },
  ): Promise<HistoryContents>;
  terminate(instanceId: string, reason: string, options?: CallOptions): Promise<void>;
  /**
   * Ends up to 500 instances by one call, at once and without a worker, which not every backend has. Resolves with the
   * ids of those that were not running.
   */
  terminateBatch(instanceIds: readonly string[], reason: string, options?: CallOptions): Promise<readonly string[]>;
  purge(instanceId: string, options?: CallOptions): Promise<boolean>;
  /** Purges up to 500 instances by one call, which not every backend has. Resolves with how many were deleted. */
  purgeBatch(instanceIds: readonly string[], options?: CallOptions): Promise<number>;
  /** Failed attempts so far, by call and by gRPC status name; those that a retry mended are counted too. */
  readonly rpcErrors: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
