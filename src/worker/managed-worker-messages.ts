import type { WorkerEvent } from "./worker-host.js";

/** What a worker process that `fanout run` started tells it, over the IPC channel. */
export type ManagedWorkerMessage = WorkerEvent;

/** And what it is told: finish what you hold, and leave. The end of the channel means the same. */
export interface DrainMessage {
  readonly type: "drain";
}
