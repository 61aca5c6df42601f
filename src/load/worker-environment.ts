import type { Connection } from "../backend/connection-string.js";

/** The variables that tell a worker process where the run is. */
export function workerEnvironment(connection: Connection): Readonly<Record<string, string>> {
  const { taskHub } = connection;
  const parts =
    connection.kind === "emulator"
      ? ["UseDevelopmentStorage=true", `TaskHub=${taskHub}`]
      : [`Endpoint=${connection.url.href}`, `Authentication=${connection.authentication}`, `TaskHub=${taskHub}`];
  return { DURABLE_TASK_CONNECTION_STRING: parts.join(";") };
}
