import { formatConnection, type Connection } from "../backend/connection-string.js";
import { TRANSPORT_VARIABLE, type Transport } from "../backend/transport.js";

/** The variables that tell a worker process where the run is, and how it speaks with the backend. */
export function workerEnvironment(connection: Connection, transport: Transport): Readonly<Record<string, string>> {
  return { DURABLE_TASK_CONNECTION_STRING: formatConnection(connection), [TRANSPORT_VARIABLE]: transport };
}
