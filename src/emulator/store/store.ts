import type { StringValueBytes } from "../../protocol/wire.js";

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
  /** Of a sub-orchestration: the instance that has started it, and what it is told of it as ParentInstanceInfo. */
  readonly parentId: string | undefined;
  readonly parent: Uint8Array | undefined;
  /** Entries of `map<string, string> tags`, as they are on the wire. */
  readonly tags: readonly Uint8Array[];
  /** OrchestrationTraceContext, as the last episode left it. */
  readonly trace: Uint8Array | undefined;
}

export type NewInstance = Omit<
  InstanceRow,
  "key" | "updatedUs" | "completedUs" | "output" | "customStatus" | "failure" | "tasksCompleted" | "trace"
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
  readonly trace: Uint8Array | undefined;
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
  readonly tags: readonly Uint8Array[];
}

/** What a rewind makes of an instance that had failed. */
export interface Rewound {
  readonly executionId: string;
  /** The framed events of its history, in place of those that it had. */
  readonly history: Uint8Array;
  readonly parent: Uint8Array | undefined;
  readonly tasksCompleted: number;
  readonly updatedUs: number;
}

/** An activity whose execution is over: nobody waits for it, but it was asked for. */
export interface DetachedTask {
  readonly taskHub: string;
  readonly instanceId: string;
  readonly executionId: string;
  readonly taskId: number;
}

/** One with its TaskScheduled event. */
export interface ScheduledTask extends DetachedTask {
  readonly scheduled: Uint8Array;
}

/** Which instances of a hub, by their ids. */
export interface IdFilter {
  readonly taskHub: string;
  readonly instanceIdPrefix: string;
  /** Only ids behind this one, in the order of ids. */
  readonly afterInstanceId: string;
}

export interface RowFilter extends IdFilter {
  /** Empty means any. */
  readonly statuses: readonly number[];
  readonly createdFromUs: number;
  /** 0 means no bound. */
  readonly createdToUs: number;
  readonly limit: number;
  readonly payloads: boolean;
}

export interface EndedFilter extends IdFilter {
  readonly completedToUs: number;
}

/** A place in the order of completion. */
export interface CompletedPlace {
  readonly completedUs: number;
  readonly key: number;
}

export interface CompletedFilter {
  readonly taskHub: string;
  readonly statuses: readonly number[];
  readonly completedFromUs: number;
  /** 0 means no bound. */
  readonly completedToUs: number;
  /** Only instances behind this place. */
  readonly after: CompletedPlace | undefined;
  readonly limit: number;
}

/**
 * Part of what a filter asks for. A read looks at a bounded number of rows and bytes, so that it holds up nobody: a
 * page may be short, or empty, and the next one go on behind it.
 */
export interface Page<P> {
  readonly rows: readonly InstanceRow[];
  /** Where the next page begins; undefined where nothing is left. */
  readonly next: P | undefined;
}

/** What a store takes on its disk. */
export interface StoreSpace {
  readonly bytes: number;
  /** Of those, what holds nothing: it is used again, or released. */
  readonly freeBytes: number;
}

/** An instance that has not ended, with what is needed to go on with it. */
export interface ActiveInstance {
  readonly row: Omit<NewInstance, "input"> & Pick<InstanceRow, "key" | "tasksCompleted" | "trace">;
  /** Framed events. */
  readonly history: Uint8Array;
  readonly nextHistorySeq: number;
  readonly waiting: readonly WaitingEvent[];
}

/**
 * Where instances are kept. Writes happen between `begin` and `commit`. Any method may throw `StoreError`; then
 * `rollback` leaves the store as at `begin`.
 */
export interface Store {
  begin(): void;
  /** What was committed is seen by all reads and survives the loss of the process; that of power once it is synced. */
  commit(): void;
  rollback(): void;
  /**
   * Calls back, in this turn or later, when all that was committed before the call survives the loss of power; what is
   * committed meanwhile may not. Calls back with the error if that could not be brought about: then no later sync proves
   * anything, and only a store that is opened anew tells what is there. One sync at a time.
   */
  sync(done: (error: Error | undefined) => void): void;
  /** The same before it returns, also while a sync is under way. Throws the error. */
  syncNow(): void;

  /** Returns the key of the new instance, or undefined if the hub has one of that id. */
  insertInstance(instance: NewInstance): number | undefined;
  appendWaiting(key: number, waiting: WaitingEvent): void;
  applyEpisode(key: number, result: EpisodeResult): void;
  restart(key: number, next: NextExecution): void;
  setStatus(key: number, status: number, updatedUs: number): void;
  /** An instance that had ended is in flight again, with the events that it had and nothing of how it ended. */
  reopen(key: number, updatedUs: number): void;
  /** Puts another history in the place of what is processed and of what waits. */
  rewind(key: number, rewound: Rewound): void;
  deleteInstance(key: number): void;

  addDetached(task: ScheduledTask): void;
  removeDetached(task: DetachedTask): void;
  /** Removes all of a hub. */
  clearDetached(taskHub: string): void;
  /** Of all hubs. */
  detached(): ScheduledTask[];

  find(taskHub: string, instanceId: string, payloads: boolean): InstanceRow | undefined;
  /** Instances in the order of their ids. */
  query(filter: RowFilter): Page<string>;
  /** Instances that have ended, in the order of their completion. */
  listCompleted(filter: CompletedFilter): Page<CompletedPlace>;
  /** Instances that an instance of that id has started as sub-orchestrations. */
  childrenOf(taskHub: string, instanceId: string): InstanceRow[];
  /** The events of an instance that are processed. */
  history(key: number): Uint8Array[];
  /** The events of an instance that no episode has processed, behind those of its history. */
  waiting(key: number): Uint8Array[];
  /**
   * Instances that have not ended, with all that is needed to go on with them, hub by hub. The store must not be changed
   * before the last one is read.
   */
  active(): Iterable<ActiveInstance>;
  /** One of those. */
  activeOne(key: number): ActiveInstance;
  /** Activity results of instances that have ended: those of a bounded number of ids, and from which id to go on. */
  resultsOfEnded(filter: EndedFilter): { readonly sum: number; readonly next: string | undefined };
  /** Of all hubs. Costs the same however many there are. */
  instanceCount(): number;

  /** Task hubs that were created by name. */
  taskHubs(): string[];
  addTaskHub(name: string): void;
  removeTaskHub(name: string): void;

  /** Keys of instances that had ended by that time, the first to end first. */
  oldestEnded(completedToUs: number, limit: number): number[];
  /** What had ended by that time, behind a place, the first to end first. */
  endedAfter(place: EndedPlace, completedToUs: number, limit: number): EndedInstance[];
  space(): StoreSpace;
  /** Gives so many of the free bytes back to the disk. A write, like those above. */
  releaseSpace(bytes: number): void;
  /** Outside of a transaction: brings the files to the size of what is in them. */
  trim(): void;
  /** Throws `StoreError` if its files are no longer the ones on disk. */
  checkFiles(): void;
  /** Releases what is open. Nothing is written any more behind a sync that has failed. */
  close(): void;
}

/** In the order of ends; of those that ended at the same time by key. */
export interface EndedPlace {
  readonly completedUs: number;
  readonly key: number;
}

export interface EndedInstance extends EndedPlace {
  readonly instanceId: string;
}

/** `removed` and `damaged`: there is no going on with its files, and the message says what to do. */
export type StoreFault = "full" | "newer" | "locked" | "broken" | "removed" | "damaged";

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

/** Whether it is over with the store: what it has acknowledged may not be there. */
export function isGone(error: unknown): error is StoreError & { readonly fault: "removed" | "damaged" } {
  return error instanceof StoreError && (error.fault === "removed" || error.fault === "damaged");
}
