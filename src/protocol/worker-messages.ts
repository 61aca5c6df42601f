/** The variable that tells a worker process how many activities to run at a time. */
export const MOST_ACTIVITIES_VARIABLE = "FANOUT_WORKER_ACTIVITIES";

/** What a worker tells of itself. */
export type WorkerEvent =
  | { readonly type: "connected" }
  /** Once for each outage, also if the backend is not there at the start. The worker goes on trying. */
  | { readonly type: "lost"; readonly reason: string }
  /** Somebody else's work came, and was given back: told once for each name. */
  | { readonly type: "stray"; readonly message: string }
  | { readonly type: "error"; readonly message: string };

/** What a worker process that `fanout run` started tells it, over the IPC channel. */
export type ManagedWorkerMessage = WorkerEvent | ExecutedMessage;

/** How many activities it has executed so far: told twice a second while that changes, and when asked. */
interface ExecutedMessage {
  readonly type: "executed";
  readonly activities: number;
}

/** And what it is told: `drain`, finish what you hold, and leave (the end of the channel means the same); `report`, tell. */
export interface ManagingMessage {
  readonly type: "drain" | "report";
}
