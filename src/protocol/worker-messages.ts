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

/** The number of activities that it has executed. Sent twice a second while it changes, and on request. */
interface ExecutedMessage {
  readonly type: "executed";
  readonly activities: number;
}

/**
 * The messages to a worker process. `drain`: finish the work in progress and exit (the end of the channel means the
 * same). `report`: send the number of executed activities.
 */
export interface ManagingMessage {
  readonly type: "drain" | "report";
}
