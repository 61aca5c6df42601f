/** The variable that limits the concurrent activities of a worker process. */
export const MOST_ACTIVITIES_VARIABLE = "FANOUT_WORKER_ACTIVITIES";

/** The events of a worker. */
export type WorkerEvent =
  | { readonly type: "connected" }
  /** Once for each outage, also if the backend is away at the start. The worker keeps trying. */
  | { readonly type: "lost"; readonly reason: string }
  /** Work of another application arrived, and was given back. Reported once for each name. */
  | { readonly type: "stray"; readonly message: string }
  | { readonly type: "error"; readonly message: string };

/** The messages of a worker process to its run, over the IPC channel. */
export type ManagedWorkerMessage = WorkerEvent | ExecutedMessage;

/** What a worker has executed, whatever became of the results. */
export interface ExecutedWork {
  readonly activities: number;
  readonly episodes: number;
  /** In episodes: reading a history, replaying it, the orchestrator's own code, and writing what it asks for. */
  readonly orchestratorMs: number;
  /** Of its activities; 0 without any. */
  readonly slowestMs: number;
}

/** `workerId` is the one in the stamps of its activities. */
export interface OwnWork extends ExecutedWork {
  readonly workerId: string;
  /** Of its fanout. */
  readonly version: string;
}

/** Sent twice a second while it changes, and on request. */
interface ExecutedMessage extends OwnWork {
  readonly type: "executed";
}

/**
 * The messages to a worker process. `drain`: finish the work in progress and exit (the end of the channel means the
 * same). `report`: send what it has executed.
 */
export interface ManagingMessage {
  readonly type: "drain" | "report";
}
