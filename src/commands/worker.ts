import { z } from "zod";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { chooseTransport, parseTransport } from "../backend/transport.js";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { plural } from "../format/count.js";
import { oneLine } from "../format/one-line.js";
import { RepeatedLines } from "../format/repeated-lines.js";
import {
  startWorkerStatus,
  type WorkerState,
  type WorkerStatusOptions,
  type WorkerStatusServer,
} from "../http/worker-status.js";
import { count, duration, readFlags } from "../plan/flag-values.js";
import { Interruption } from "./interruption.js";
import { DEFAULT_LIMITS, type IntakeLimits } from "../worker/intake.js";
import { DEFAULT_REPLAY, parseReplay } from "../protocol/replay.js";
import type { WorkerEvent } from "../protocol/worker-messages.js";
import { startWorkerHost, type WorkerHost } from "../worker/worker-host.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { parseHost, parsePort } from "../http/port.js";
import { aborted } from "../async/aborted.js";

export interface WorkerFlags {
  readonly host?: string;
  readonly port?: string;
  /** False with `--no-http`. */
  readonly http?: boolean;
  readonly drainTimeout?: string;
  readonly log?: string;
  readonly connectionString?: string;
  readonly taskHub?: string;
  readonly transport?: string;
  readonly replay?: string;
  readonly maxConcurrentOrchestrators?: string;
  readonly maxConcurrentActivities?: string;
}

const DEFAULT_HOST = "127.0.0.1";
/** A second worker of a machine takes the next one. */
const DEFAULT_PORTS = Array.from({ length: 20 }, (_, index) => 5_001 + index);
/** Orchestrators of containers kill a process 30 s after SIGTERM: the rest is for giving back what is left, and for the exit. */
const DEFAULT_DRAIN_TIMEOUT_MS = 25_000;

const workerFlags = z.object({
  drainTimeout: duration("--drain-timeout").default(DEFAULT_DRAIN_TIMEOUT_MS),
  log: z
    .enum(["lines", "json"], {
      error: ({ input }) => `--log: expected lines or json, found "${String(input)}"`,
    })
    .default("lines"),

  maxConcurrentOrchestrators: count("--max-concurrent-orchestrators", 1, 100_000).optional(),
  maxConcurrentActivities: count("--max-concurrent-activities", 1, 1_000_000).optional(),
});

/**
 * `fanout worker`: hosts the workload until SIGTERM or Ctrl-C, then drains. A signal is how a worker is meant to end, so
 * the exit code is 0 when the drain left nothing behind and 1 otherwise; a second signal ends it at once with its own.
 */
export async function runWorkerCommand(flags: WorkerFlags, { stderr }: CommandIo): Promise<ExitCode> {
  const read = readFlags(workerFlags, flags);
  const { drainTimeout: drainTimeoutMs, log } = read;
  const limits = limitsOf(read);
  const tell = (log === "json" ? jsonLog : lineLog)(stderr);
  const { connectionString: flag, taskHub } = flags;
  const connection = resolveConnection({
    ...(flag !== undefined && { flag }),
    ...(taskHub !== undefined && { taskHub }),
  });
  const replay = flags.replay === undefined ? DEFAULT_REPLAY : parseReplay(flags.replay);
  const transport = chooseTransport(connection, parseTransport(flags.transport));
  let worker: WorkerHost | undefined;
  const interruption = new Interruption();
  const statusServer = await statusServerOf(flags, {
    worker: () => stateOf(worker, interruption.signal.aborted),
    figures: () => worker?.figures,
  });
  try {
    if (statusServer) tell("info", `Status on ${statusServer.url}/status`);
    const repeated = { info: repeatedLines(tell, "info"), warning: repeatedLines(tell, "warning") };
    const backend = await openBackend(connection, { onNotice: (line) => repeated.info.add(line), transport });
    const place = `${backend.displayName}, task hub ${connection.taskHub}`;
    const onEvent = (event: WorkerEvent): void =>
      repeated[event.type === "connected" ? "info" : "warning"].add(describeEvent(event, place, connection));
    const host = startWorkerHost({ backend, limits, replay, drainTimeoutMs, onEvent });
    worker = host;
    await aborted(interruption.signal);
    tell("info", `Draining: ${plural(host.inFlight, "work item")} in flight. A second signal exits at once.`);
    await host.drain();
    repeated.info.flush();
    repeated.warning.flush();
    tell("info", `Drained: ${plural(host.activitiesCompleted, "activity")} completed.`);
    backend.close();
    return host.inFlight === 0 ? ExitCode.Success : ExitCode.Failure;
  } finally {
    interruption[Symbol.dispose]();
    statusServer?.close();
  }
}

/** @throws UsageError */
function statusServerOf(
  { host, port, http = true }: WorkerFlags,
  pages: Pick<WorkerStatusOptions, "worker" | "figures">,
): Promise<WorkerStatusServer> | undefined {
  if (http) {
    const ports = port === undefined ? DEFAULT_PORTS : [parsePort(port)];
    return startWorkerStatus({ host: host === undefined ? DEFAULT_HOST : parseHost(host), ports, ...pages });
  }
  const conflicting = host === undefined ? port && "--port" : "--host";
  if (conflicting) throw new UsageError("conflicting-flags", `${conflicting}: expected it without --no-http`);
  return undefined;
}

/** Before it has opened its backend, a worker is not connected. */
function stateOf(worker: WorkerHost | undefined, draining: boolean): WorkerState {
  const { connected = false, connectedSince, inFlight = 0, executed } = worker ?? {};
  const { activities = 0, episodes = 0 } = executed ?? {};
  return { connected, connectedSince, draining, inFlight, executed: { activities, episodes } };
}

type Level = "info" | "warning";
type Tell = (level: Level, message: string) => void;

function lineLog(stream: CommandIo["stderr"]): Tell {
  const notice = noticeOn(stream);
  return (_, message) => notice(oneLine(message));
}

/** A line of JSON for each message. */
function jsonLog(stream: CommandIo["stderr"]): Tell {
  return (level, message) =>
    void stream.write(`${JSON.stringify({ time: new Date(), level, message: oneLine(message) })}\n`);
}

function repeatedLines(tell: Tell, level: Level): RepeatedLines {
  return new RepeatedLines((line) => tell(level, line));
}

function limitsOf({ maxConcurrentOrchestrators, maxConcurrentActivities }: z.output<typeof workerFlags>): IntakeLimits {
  return {
    orchestrators: maxConcurrentOrchestrators ?? DEFAULT_LIMITS.orchestrators,
    activities: maxConcurrentActivities ?? DEFAULT_LIMITS.activities,
  };
}

function describeEvent(event: WorkerEvent, place: string, { source }: Connection): string {
  if (event.type === "connected") return `Connected to ${place} (connection string: ${source})`;

  return event.type === "lost" ? `No connection to ${place}, trying again (${event.reason})` : event.message;
}
