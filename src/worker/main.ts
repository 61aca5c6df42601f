/**
 * The worker processes that `fanout run` starts for itself. They are forked with an IPC channel, and get the connection
 * string in DURABLE_TASK_CONNECTION_STRING. They drain and exit on request, on SIGTERM, and when the parent is gone.
 */
import { errorText } from "../format/error-text.js";
import { resolveConnection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { TRANSPORT_VARIABLE, type Transport } from "../backend/transport.js";
import { FanoutError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { WORKER_PROCESS } from "../orchestrations/worker-process.js";
import { DEFAULT_LIMITS } from "./intake.js";
import {
  MOST_ACTIVITIES_VARIABLE,
  type ManagedWorkerMessage,
  type ManagingMessage,
} from "../protocol/worker-messages.js";
import { REPLAY_VARIABLE, type Replay } from "../protocol/replay.js";
import { FANOUT_VERSION } from "../version.js";
import { startWorkerHost, type WorkerHost } from "./worker-host.js";

const REPORT_EVERY_MS = 500;

/** Resolves when the message was sent, or cannot be sent because the parent is gone. */
function tellParent(message: ManagedWorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

function askedToLeave(): Promise<void> {
  // A terminal sends Ctrl-C, Ctrl-Break and SIGHUP to the parent and to this process. The parent decides what they mean.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.on("SIGBREAK", () => undefined);
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("disconnect", () => resolve());
    process.on("message", (message: ManagingMessage) => {
      if (message.type === "drain") resolve();
    });
  });
}

function reportExecuted(host: WorkerHost): NodeJS.Timeout {
  let told = 0;
  const tell = (): void => {
    told = host.executed.episodes + host.executed.activities;
    void tellParent({ type: "executed", workerId: WORKER_PROCESS, version: FANOUT_VERSION, ...host.executed });
  };
  process.on("message", (message: ManagingMessage) => {
    if (message.type === "report") tell();
  });
  return setInterval(() => {
    if (host.executed.episodes + host.executed.activities !== told) tell();
  }, REPORT_EVERY_MS);
}

async function main(): Promise<ExitCode> {
  const leaving = askedToLeave();
  // Only the run that started this process sets these variables.
  const activities = Number(process.env[MOST_ACTIVITIES_VARIABLE] ?? DEFAULT_LIMITS.activities);
  const transport = process.env[TRANSPORT_VARIABLE] as Transport | undefined;
  const replay = process.env[REPLAY_VARIABLE] as Replay | undefined;
  const backend = await openBackend(resolveConnection({}), { transport });
  const host = startWorkerHost({
    backend,
    limits: { ...DEFAULT_LIMITS, activities },
    ...(replay !== undefined && { replay }),
    onEvent: (event) => void tellParent(event),
  });
  const reporting = reportExecuted(host);
  await leaving;
  await host.drain();
  clearInterval(reporting);
  backend.close();
  return host.inFlight === 0 ? ExitCode.Success : ExitCode.Failure;
}

try {
  process.exit(await main());
} catch (error) {
  await tellParent({ type: "error", message: errorText(error) });
  process.exit(error instanceof FanoutError ? error.exitCode : ExitCode.Failure);
}
