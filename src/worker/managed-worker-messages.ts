import type { WorkerEvent } from "./worker-host.js";

/** The variable that tells a worker process how many activities to run at a time. */
export const MOST_ACTIVITIES_VARIABLE = "FANOUT_WORKER_ACTIVITIES";

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
