import { formatConnection, type Connection } from "../backend/connection-string.js";
import { TRANSPORT_VARIABLE, type Transport } from "../backend/transport.js";
import { MOST_ACTIVITIES_VARIABLE } from "../worker/managed-worker-messages.js";

/** The variables that tell a worker process where the run is, how it speaks with the backend, and how much it takes. */
export function workerEnvironment(
  connection: Connection,
  transport: Transport,
  mostActivities: number,
): Readonly<Record<string, string>> {
  return {
    DURABLE_TASK_CONNECTION_STRING: formatConnection(connection),
    [TRANSPORT_VARIABLE]: transport,
    [MOST_ACTIVITIES_VARIABLE]: String(mostActivities),
  };
}
