import { formatConnection, type Connection } from "../backend/connection-string.js";
import { TRANSPORT_VARIABLE, type Transport } from "../backend/transport.js";
import { MOST_ACTIVITIES_VARIABLE } from "../protocol/worker-messages.js";
import { REPLAY_VARIABLE, type Replay } from "../protocol/replay.js";

/** How a run's own workers work. */
export interface OwnWorkers {
  readonly transport: Transport;
  readonly replay: Replay;
  readonly mostActivities: number;
}

/** The variables of a worker process: the backend of the run, the transport, and the limits of its work. */
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
