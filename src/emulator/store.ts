import type { StringValueBytes } from "./wire.js";

/** Everything about an instance but its events. Times are microseconds since the epoch, 0 where there is none. */
export interface InstanceRow {
  readonly key: number;
  readonly taskHub: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: StringValueBytes | undefined;
  /** A number of the protocol's OrchestrationStatus. */
  readonly status: number;
  readonly createdUs: number;
  readonly updatedUs: number;
  readonly completedUs: number;
  readonly scheduledStartUs: number;
  readonly input: StringValueBytes | undefined;
  readonly output: StringValueBytes | undefined;
  readonly customStatus: StringValueBytes | undefined;
  /** TaskFailureDetails. */
  readonly failure: Uint8Array | undefined;
  /** Activity results in the processed part of the history of all executions. */
  readonly tasksCompleted: number;
}

export type NewInstance = Omit<
  InstanceRow,
  "key" | "updatedUs" | "completedUs" | "output" | "customStatus" | "failure" | "tasksCompleted"
>;

/** An event that an instance has received and no episode has processed. `seq` orders them. */
export interface WaitingEvent {
  readonly seq: number;
  readonly event: Uint8Array;
}

/** What one episode changes in an instance. Fields that are undefined stay as they are. */
export interface EpisodeResult {
  /** Waiting events up to this `seq` are processed: they are part of `history` now. */
  readonly processedSeq: number;
  readonly historySeq: number;
  /** The framed events to append. */
  readonly history: Uint8Array;
  readonly status: number;
  readonly updatedUs: number;
  readonly completedUs: number;
  readonly output: StringValueBytes | undefined;
  readonly customStatus: StringValueBytes | undefined;
  readonly failure: Uint8Array | undefined;
  readonly tasksCompleted: number;
}

/** Continue-as-new: the same instance begins again with another execution id and input, and an empty history. */
export interface NextExecution {
  readonly executionId: string;
  readonly version: StringValueBytes | undefined;
  readonly input: StringValueBytes | undefined;
  readonly tasksCompleted: number;
  readonly updatedUs: number;
  readonly status: number;
  /** Undefined leaves it as it is. */
  readonly customStatus: StringValueBytes | undefined;
}

export interface RowFilter {
  readonly taskHub: string;
  readonly instanceIdPrefix: string;
  /** Empty means any. */
  readonly statuses: readonly number[];
  readonly createdFromUs: number;
  /** 0 means no bound. */
  readonly createdToUs: number;
  /** Only ids behind this one, in the order of ids. */
  readonly afterInstanceId: string;
  readonly limit: number;
  readonly payloads: boolean;
}

export interface CompletedFilter {
  readonly taskHub: string;
  readonly statuses: readonly number[];
  readonly completedFromUs: number;
  readonly completedToUs: number;
  /** Only instances behind this place, in the order of completion. */
  readonly after: { readonly completedUs: number; readonly key: number } | undefined;
  readonly limit: number;
}

/** An instance that has not ended, with what is needed to go on with it. */
export interface ActiveInstance {
  readonly row: Omit<NewInstance, "input"> & Pick<InstanceRow, "key" | "tasksCompleted">;
  /** Framed events. */
  readonly history: Uint8Array;
  readonly nextHistorySeq: number;
  readonly waiting: readonly WaitingEvent[];
}

/**
 * Where instances are kept. Writes happen between `begin` and `commit`, and what was committed survives the loss of
 * the process and of power. Any method may throw `StoreError`; then `rollback` leaves the store as at `begin`.
 */
export interface Store {
  begin(): void;
  commit(): void;
  rollback(): void;

  /** Returns the key of the new instance, or undefined if the hub has one of that id. */
  insertInstance(instance: NewInstance): number | undefined;
  appendWaiting(key: number, waiting: WaitingEvent): void;
  applyEpisode(key: number, result: EpisodeResult): void;
  restart(key: number, next: NextExecution): void;
  deleteInstance(key: number): void;

  find(taskHub: string, instanceId: string, payloads: boolean): InstanceRow | undefined;
  query(filter: RowFilter): InstanceRow[];
  listCompleted(filter: CompletedFilter): InstanceRow[];
  /** The framed events of an instance: what is processed, then what waits. */
  events(key: number): Uint8Array[];
  /** Instances that have not ended, with all that is needed to go on with them. */
  active(): Iterable<ActiveInstance>;
  /** Activity results of the instances that have ended and whose ids start so. */
  tasksCompletedByEnded(taskHub: string, instanceIdPrefix: string): number;
  counts(): { readonly instances: number; readonly inFlight: number };
  close(): void;
}

export type StoreFault = "full" | "newer" | "locked" | "broken";

/** The store could not do what was asked; `fault` says why, as far as a caller can act on it. */
export class StoreError extends Error {
  override readonly name = "StoreError";

  constructor(
    readonly fault: StoreFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
