import { z } from "zod";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { chooseTransport, parseTransport } from "../backend/transport.js";
import { ExitCode } from "../exit-codes.js";
import { plural } from "../format/count.js";
import { oneLine } from "../format/one-line.js";
import { RepeatedLines } from "../format/repeated-lines.js";
import { startWorkerStatus } from "../http/worker-status.js";
import { count, readFlags } from "../plan/flag-values.js";
import { Interruption } from "./interruption.js";
import { DEFAULT_LIMITS, type IntakeLimits } from "../worker/intake.js";
import { DEFAULT_REPLAY, parseReplay } from "../protocol/replay.js";
import type { WorkerEvent } from "../protocol/worker-messages.js";
import { startWorkerHost } from "../worker/worker-host.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { parsePort } from "../http/port.js";
import { aborted } from "../async/aborted.js";

export interface WorkerFlags {
  readonly port: string;
  readonly connectionString?: string;
  readonly taskHub?: string;
  readonly transport?: string;
  readonly replay?: string;
  readonly maxConcurrentOrchestrators?: string;
  readonly maxConcurrentActivities?: string;
}

const limitFlags = z.object({
  maxConcurrentOrchestrators: count("--max-concurrent-orchestrators", 1, 100_000).optional(),
  maxConcurrentActivities: count("--max-concurrent-activities", 1, 1_000_000).optional(),
});

/**
 * `fanout worker`: hosts the workload until SIGTERM or Ctrl-C, then drains. A signal is how a worker is meant to end, so
 * the exit code is 0 when the drain left nothing behind and 1 otherwise; a second signal ends it at once with its own.
 */
export async function runWorkerCommand(flags: WorkerFlags, { stderr }: CommandIo): Promise<ExitCode> {
  const notice = noticeOn(stderr);
  const say = (line: string): void => notice(oneLine(line));
  const { connectionString: flag, taskHub } = flags;
  const connection = resolveConnection({
    ...(flag !== undefined && { flag }),
    ...(taskHub !== undefined && { taskHub }),
  });
  const limits = limitsOf(flags);
  const replay = flags.replay === undefined ? DEFAULT_REPLAY : parseReplay(flags.replay);
  const transport = chooseTransport(connection, parseTransport(flags.transport));
  const statusServer = await startWorkerStatus(parsePort(flags.port));
  const interruption = new Interruption();
  try {
    say(`Status on ${statusServer.url}/status`);
    const repeated = new RepeatedLines(say);
    const backend = await openBackend(connection, { onNotice: (line) => repeated.add(line), transport });
    const place = `${backend.displayName}, task hub ${connection.taskHub}`;
    const onEvent = (event: WorkerEvent): void => repeated.add(describeEvent(event, place, connection));
    const host = startWorkerHost({ backend, limits, replay, onEvent });
    await aborted(interruption.signal);
    say(`Draining: ${plural(host.inFlight, "work item")} in flight. A second signal exits at once.`);
    await host.drain();
    repeated.flush();
    say(`Drained: ${plural(host.activitiesCompleted, "activity")} completed.`);
    backend.close();
    return host.inFlight === 0 ? ExitCode.Success : ExitCode.Failure;
  } finally {
    interruption[Symbol.dispose]();
    statusServer.close();
  }
}

/** @throws UsageError */
function limitsOf(flags: WorkerFlags): IntakeLimits {
  const { maxConcurrentOrchestrators, maxConcurrentActivities } = readFlags(limitFlags, flags);
  return {
    orchestrators: maxConcurrentOrchestrators ?? DEFAULT_LIMITS.orchestrators,
    activities: maxConcurrentActivities ?? DEFAULT_LIMITS.activities,
  };
}

function describeEvent(event: WorkerEvent, place: string, { source }: Connection): string {
  if (event.type === "connected") return `Connected to ${place} (connection string: ${source})`;

  return event.type === "lost" ? `No connection to ${place}, trying again (${event.reason})` : event.message;
}
