import { formatConnection, type Connection } from "../backend/connection-string.js";

/** The variables that tell a worker process where the run is. */
export function workerEnvironment(connection: Connection): Readonly<Record<string, string>> {
  return { DURABLE_TASK_CONNECTION_STRING: formatConnection(connection) };
}
