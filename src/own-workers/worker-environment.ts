import { formatConnection, type Connection } from "../backend/connection-string.js";
import { TRANSPORT_VARIABLE, type Transport } from "../backend/transport.js";
import { MOST_ACTIVITIES_VARIABLE } from "../protocol/worker-messages.js";
import { REPLAY_VARIABLE, type Replay } from "../protocol/replay.js";

/** How a run's own workers are to work. */
export interface OwnWorkers {
  readonly transport: Transport;
  readonly replay: Replay;
  readonly mostActivities: number;
}

/** The variables that tell a worker process where the run is, how it speaks with the backend, and how much it takes. */
export function workerEnvironment(
  connection: Connection,
  { transport, replay, mostActivities }: OwnWorkers,
): Readonly<Record<string, string>> {
  return {
    DURABLE_TASK_CONNECTION_STRING: formatConnection(connection),
    [TRANSPORT_VARIABLE]: transport,
    [REPLAY_VARIABLE]: replay,
    [MOST_ACTIVITIES_VARIABLE]: String(mostActivities),
  };
}
